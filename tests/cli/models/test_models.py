"""`deepsel models`: which rows are listed, and that the table says of each what its row and the clock say."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from pathlib import Path

import pytest

from deepsel import catalog
from deepsel.catalog import Catalog
from deepsel.values import Model

CATALOG = Catalog()

OWN = """\
[providers.own-host]
wire = "openai-chat"
base_url = "http://127.0.0.1:1/v1"

[models.own-plain]
provider = "own-host"
context_window = 131072
vocabulary = "qwen"
price = { input = "0.25", cached_input = "0.025", output = "10" }

[models.own-retired]
provider = "own-host"
retires = 2020-01-01
price = { input = "9", output = "9" }

[models.own-free]
provider = "own-host"
price = { input = "0", output = "0" }

[models.own-unpriced]
provider = "own-host"
max_input = 2000000
retires = 2999-01-01

[models.own-dearer]
provider = "own-host"
[[models.own-dearer.prices]]
input = "1"
output = "2"
valid_to = 2999-12-30T23:30:00Z
[[models.own-dearer.prices]]
input = "1.5"
output = "30"
"""
TABLE = """\
MODEL         KEY     IN  CACHED  OUT  WINDOW  VOCABULARY  PRICE CHANGES
own-plain     none  0.25   0.025   10    131K  qwen
own-free      none     0       -    0       -  -
own-unpriced  none     -       -    -      2M  -
own-dearer    none     1       -    2       -  -           12-30 23:30Z: 1.5/30

USD per 1,000,000 tokens, for the smallest prompt; - is unknown. KEY: whether one was found.
"""


@pytest.fixture
def own(home: Path) -> None:
    """Rows whose prices and days this test knows."""
    (home / "profiles.toml").write_text(OWN)


@pytest.mark.usefixtures("own")
def test_the_table_says_what_the_rows_say(deepsel: Callable) -> None:
    """Prices, window, vocabulary and the next change with its day, hour and both prices; unknown is a dash, free is 0."""
    ran = deepsel("models", "--provider", "own-host", "-q")
    assert (ran.code, ran.out, ran.err) == (0, TABLE, "")


@pytest.mark.usefixtures("own")
def test_few_rows_are_told_whole(deepsel: Callable) -> None:
    """Up to three matches are shown with everything known of them."""
    ran = deepsel("models", "own-dearer")
    assert "  price now      input 1, cached -, output 2 USD per 1M\n" in ran.out
    assert "  changes        12-30 23:30Z: 1.5/30\n" in ran.out
    assert ran.err.startswith(f"1 model; prices as of {CATALOG.as_of}, ")


@pytest.mark.usefixtures("own")
def test_retired_rows_are_shown_on_demand(deepsel: Callable) -> None:
    """A model that no longer answers is left out, also where its name is asked for, unless `--all` is given."""
    refused = deepsel("models", "own-retired")
    assert (refused.code, refused.out) == (2, "")
    assert "no model matches `own-retired`" in refused.err
    assert "\n  retires        2020-01-01\n" in deepsel("models", "own-retired", "--all").out
    named = [row["model"] for row in deepsel("models", "--provider", "own-host", "--json").record()["models"]]
    assert named == ["own-plain", "own-free", "own-unpriced", "own-dearer"]


@pytest.mark.usefixtures("own")
def test_a_price_says_where_it_is_from(deepsel: Callable, home: Path) -> None:
    """The record of a price has its source, day and rule under the names they have in an answer's record; unknown is null."""
    models = {row["model"]: row["price"] for row in deepsel("models", "--provider", "own-host", "--json").record()["models"]}
    assert models["own-unpriced"] is None
    assert {name: models["own-plain"][name] for name in ("source", "as_of", "rule")} == {
        "source": str(home / "profiles.toml"), "as_of": None, "rule": "standard",
    }  # fmt: skip
    (known,) = deepsel("models", "gpt-4o", "--all", "--json").record()["models"]
    rule = CATALOG.find_model("gpt-4o").prices[0]
    assert (known["price"]["source"], known["price"]["as_of"]) == (rule.source, rule.checked.isoformat())


def test_lanes_and_promises_are_told(deepsel: Callable) -> None:
    """What a model costs in its provider's slower lanes, their limits, and until when its price was promised."""
    out = deepsel("models", "gpt-4.1", "--all").out
    assert "  batch          input 1, cached 0.5, output 4, cache write 0 USD per 1M; up to 50,000 requests, 200 MB; within 24 h\n" in out
    (known,) = deepsel("models", "gpt-4.1", "--all", "--json").record()["models"]
    (lane,) = known["lanes"]
    assert (lane["name"], lane["form"], lane["max_requests"], lane["window_s"]) == ("batch", "file", 50_000, [86_400, 86_400])
    assert (lane["price"]["input"], lane["price"]["cached_input"]) == ("1", "0.50")
    assert known["price"]["guaranteed_until"] is None
    out = deepsel("models", "gpt-5.6-sol", "--all").out
    assert "  promised until 2026-11-21\n" in out
    assert "was promised until 2026-11-21: input 4" in out
    (known,) = deepsel("models", "gpt-5.6-sol", "--all", "--json").record()["models"]
    assert known["price"]["guaranteed_until"] == "2026-11-21"


def _rows(out: str) -> dict[str, str]:
    """Name to the rest of each line of a table."""
    return dict(line.split(maxsplit=1) for line in out.split("\n\n")[0].splitlines()[1:])


def _shown_at_one_instant(deepsel: Callable, *arguments: str) -> tuple[dict[str, str], datetime]:
    """The table and an instant of the same minute, so that no price and no row changes between them."""
    while True:
        at = datetime.now(UTC)
        rows = _rows(deepsel("models", *arguments).out)
        if datetime.now(UTC).replace(second=0, microsecond=0) == at.replace(second=0, microsecond=0):
            return rows, at


def _change(row: Model, at: datetime) -> str:
    """The last column, from the catalog."""
    change = catalog.next_change(row, at=at, input_tokens=0)
    if change is None:
        return ""
    instant, rule = change
    day = "" if instant.date() == at.date() else f"{instant:%m-%d} "
    assert rule is not None
    assert rule.input is not None
    assert rule.output is not None
    return f"{day}{instant:%H:%M}Z: {rule.input.normalize():f}/{rule.output.normalize():f}"


def test_the_catalogs_rows_are_those_of_today(deepsel: Callable) -> None:
    """Every row of the catalog that answers today is listed in the catalog's order, with its next change; with `--all` every row."""
    rows, at = _shown_at_one_instant(deepsel)
    available = [row for row in CATALOG.models.values() if catalog.is_available(row, on=at.date())]
    assert list(rows) == [row.name for row in available]
    changes = {name: (re.search(r"(\d\d-\d\d )?\d\d:\d\dZ: \S+$", rest) or [""])[0] for name, rest in rows.items()}
    assert changes == {row.name: _change(row, at) for row in available}
    everything, _ = _shown_at_one_instant(deepsel, "--all")
    assert list(everything) == list(CATALOG.models)


def test_the_catalog_has_rows_that_this_is_about() -> None:
    """Some rows have retired and some prices change with the hour, or the tests above would show nothing."""
    at = datetime.combine(date(2026, 11, 25), time(), UTC)
    rows = CATALOG.models.values()
    assert any(not catalog.is_available(row, on=at.date()) for row in rows)
    assert any(catalog.next_change(row, at=at, input_tokens=0) for row in rows)
