"""Which models an estimate is for, and the vocabularies they need."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from deepsel import catalog, config
from deepsel.catalog import Catalog
from deepsel.config.demo import DEMO_PROVIDERS
from deepsel.errors import ConfigError
from deepsel.estimate.models import ANY_VOCABULARIES, choose_models, notices_on, targets_of
from deepsel.values import Model, PriceRule

CATALOG = Catalog()

AT = datetime(2026, 11, 25, 12, tzinfo=UTC)
OWN = """
[providers.local]
wire = "openai-chat"
base_url = "http://127.0.0.1:8000/v1"

[models.gpt-6-luna]
provider = "local"
id = "mine"

[profiles.main]
models = ["gpt-6-luna"]
"""


@pytest.fixture
def settings(tmp_path: Path) -> config.Settings:
    """Settings with a model of the user's own under a name of the catalog's."""
    return config.parse_settings(OWN.encode(), tmp_path / "profiles.toml", CATALOG)


def test_names_choose_in_their_order_and_once(settings: config.Settings) -> None:
    """The user's own row goes before the catalog's; a name nobody knows is a mistake."""
    found = choose_models(["deepseek-flash", "gpt-6-luna", "deepseek-flash"], settings, at=AT)
    assert [(one.name, one.provider) for one in found] == [("deepseek-flash", "deepseek"), ("gpt-6-luna", "local")]
    with pytest.raises(ConfigError):
        choose_models(["nobody"], settings, at=AT)


def test_without_names_everything_available_is_chosen(settings: config.Settings) -> None:
    """The user's rows first, each name once, nothing retired and nothing of the demo."""
    found = choose_models([], settings, at=AT)
    names = [one.name for one in found]
    assert (names[0], len(names)) == ("gpt-6-luna", len(set(names)))
    assert set(names[1:]) < set(CATALOG.models)
    assert not {one.provider for one in found} & set(DEMO_PROVIDERS)
    assert all(catalog.is_available(one, on=AT.date()) for one in found)


def test_a_model_of_unknown_vocabulary_needs_several() -> None:
    """The median of several vocabularies stands in for its own."""
    known, unknown = (Model(name=name, provider="p", id=name, vocabulary=vocabulary) for name, vocabulary in (("a", "qwen"), ("b", None)))
    assert targets_of([known, known]).vocabularies == ("qwen",)
    assert targets_of([known, unknown]).vocabularies == tuple(sorted({"qwen", *ANY_VOCABULARIES}))


def test_a_named_model_that_does_not_answer_is_said() -> None:
    """By then it is retired; one that answers needs no word."""
    gone = Model(name="gone", provider="p", id="gone", retires=AT.date())
    here = Model(name="here", provider="p", id="here")
    notices = notices_on([gone, here], at=AT)
    assert [(one.code, one.message) for one in notices] == [("not_available", "gone does not answer on 2026-11-25")]


def test_promises_that_are_over_are_said_in_one_sentence() -> None:
    """However many models there are; a promise that still holds needs no word."""

    def promised(name: str, day: int) -> Model:
        rule = PriceRule(Decimal(1), Decimal(2), guaranteed_until=date(2026, 11, day), source="test")
        return Model(name=name, provider="p", id=name, prices=(rule,))

    assert notices_on([promised("held", 25)], at=AT) == []
    (notice,) = notices_on([promised("one", 21), promised("held", 30), promised("two", 24)], at=AT)
    assert notice.code == "promise_over"
    assert "one (until 2026-11-21), two (until 2026-11-24)" in notice.message
