"""The rules for pictures as data: complete, sourced, and named by the rows they are for."""

from __future__ import annotations

from datetime import date

import pytest

from deepsel import catalog
from deepsel.catalog import Catalog
from deepsel.catalog.files import read_data
from deepsel.errors import ConfigError

CATALOG = Catalog()
PICTURES = read_data("pictures.json")


@pytest.mark.parametrize("name", catalog.picture_rule_names())
def test_every_rule_is_whole(name: str) -> None:
    """Each rule parses, says how it counts where no detail is asked for, and has an explained source and a day."""
    rule = catalog.picture_rule(name)
    assert rule.kind in PICTURES["kinds"]
    assert "auto" in rule.sizes
    assert rule.each > 0
    assert set(rule.source.split("; ")) <= set(PICTURES["sources"])
    assert rule.checked is not None
    assert date(2026, 1, 1) < rule.checked <= date(2026, 12, 31)
    assert rule.name == name
    assert not rule.flat & set(rule.sizes)


def test_no_source_is_left_over() -> None:
    """Each source that is explained is one of a rule."""
    named = {one for rule in PICTURES["rules"].values() for one in rule["source"].split("; ")}
    assert set(PICTURES["sources"]) == named


def test_rows_with_a_rule_take_pictures() -> None:
    """A row that names a rule says that its model takes pictures."""
    assert [one.name for one in CATALOG.models.values() if one.pictures and "images" not in one.features] == []


def test_a_gateway_has_no_rule_of_the_maker() -> None:
    """What a gateway bills for a picture is not known; a maker's regional host counts as the maker does."""
    assert CATALOG.find_model("litellm/gpt-4o").pictures is None
    assert CATALOG.find_model("openrouter/openai/gpt-4o").pictures is None
    assert CATALOG.find_model("openai-eu/gpt-4o").pictures == "openai-tiles-4o"


def test_a_row_of_ones_own_may_name_a_rule() -> None:
    """A row names a rule of the catalog; one that moves to another provider or id loses the one it had."""
    base = CATALOG.models["gpt-4o"]
    assert catalog.model_from({"pictures": "qwen-32"}, "own", base=base).pictures == "qwen-32"
    assert catalog.model_from({}, "own", base=base).pictures == "openai-tiles-4o"
    assert catalog.model_from({"id": "another"}, "own", base=base).pictures is None
    assert catalog.model_from({"provider": "local"}, "own", base=base).pictures is None
    with pytest.raises(catalog.RowError, match="`pictures` must be one of"):
        catalog.model_from({"provider": "x", "pictures": "unheard of"}, "own")


def test_an_id_in_no_row_has_none() -> None:
    """Of an unknown id nothing is known, pictures included."""
    assert CATALOG.model_at("openai", "gpt-99").pictures is None
    with pytest.raises(ConfigError):
        CATALOG.find_model("gpt-99")
