"""`deepsel stats`: figures that agree with what was asked, as text, JSON and a page."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepsel.health.log import Observation
from deepsel.health.sqlite_state import SqliteState
from deepsel.health.summary import group, total
from deepsel.show.lines import width
from deepsel.storage.amounts import picousd

Deepsel = Callable[..., Any]
GROUP = {
    "key", "requests", "attempts", "input_tokens", "cached_input_tokens", "output_tokens", "spend_usd", "unknown_costs",
    "ttft_s", "total_s", "cancelled", "errors", "error_rate", "lookups", "hits", "hit_rate", "saved_usd", "timeline",
}  # fmt: skip


def _row(model: str = "m", *, age_s: float = 60.0, **fields: Any) -> Observation:
    given_fields = {"profile": "main", "provider": "p", "task": "chat", "outcome": "ok", **fields}
    return Observation(at=time.time() - age_s, model=model, **given_fields)


@pytest.fixture
def log(home: Path) -> SqliteState:
    """A log with two models' calls, a fall-back, a hit and two failures."""
    log = SqliteState(home / "data")
    cost = picousd(Decimal("0.01"))
    log.add(
        [
            *(
                _row("fast", cost_picousd=cost, ttft_s=ttft_s, total_s=1.0, input_tokens=1000, cache_status="stored")
                for ttft_s in (0.1, 0.2, 0.3)
            ),
            _row("fast", outcome="hit", cost_picousd=0, saved_picousd=cost, cache_status="hit"),
            _row("slow", outcome="failed", error_class="stalled", total_s=30.0, cache_status="miss"),
            _row("slow", outcome="failed", error_class="rate_limited", cost_picousd=0, number=2, cache_status="miss"),
            _row("fast", age_s=20 * 86_400, cost_picousd=picousd(Decimal(5))),
        ]
    )
    return log


def test_json_holds_every_figure(deepsel: Deepsel, log: SqliteState) -> None:
    """Requests, tokens, spend, quantiles, errors, hits and savings are the log's, in the last seven days."""
    told = deepsel("stats", "--json").record()
    groups = {one["key"]: one for one in told["groups"]}
    assert all(set(one) == GROUP for one in groups.values())
    fast, slow = groups["fast"], groups["slow"]
    assert (fast["requests"], fast["attempts"], fast["spend_usd"]) == (4, 3, "0.03")
    assert fast["ttft_s"] == pytest.approx({"p50": 0.2, "p95": 0.29, "p99": 0.298})
    assert (fast["lookups"], fast["hits"], fast["hit_rate"], fast["saved_usd"]) == (4, 1, 0.25, "0.01")
    assert (slow["requests"], slow["attempts"], slow["unknown_costs"]) == (1, 2, 1)
    assert slow["errors"] == {"stalled": 1, "rate_limited": 1}
    assert slow["ttft_s"] == {"p50": None, "p95": None, "p99": None}
    assert (told["total"]["requests"], told["total"]["error_rate"]) == (5, 0.4)


@pytest.mark.parametrize(("by", "keys"), [("provider", {"p"}), ("profile", {"main"}), ("model", {"fast", "slow"})])
def test_grouped_by(deepsel: Deepsel, log: SqliteState, by: str, keys: set[str]) -> None:
    """Each key parts the same observations, and the longer the time the more of them."""
    told = deepsel("stats", "--by", by, "--json").record()
    assert {one["key"] for one in told["groups"]} == keys
    assert sum(one["attempts"] for one in told["groups"]) == told["total"]["attempts"] == 5
    assert deepsel("stats", "--by", "day", "--since", "30d", "--json").record()["total"]["attempts"] == 6


@pytest.mark.parametrize("env", [{}, {"NO_COLOR": "1"}, {"FORCE_COLOR": "1"}])
def test_text_is_plain_and_fits(deepsel: Deepsel, log: SqliteState, env: dict[str, str]) -> None:
    """The text has no colour, no line over 80 columns, bars, and every figure a person looks for."""
    ran = deepsel("stats", env=env)
    assert "\x1b" not in ran.out
    assert max(map(len, ran.out.splitlines())) <= 80
    for words in ("█", "spend $0.03", "errors 100% of 2 calls: stalled 1, rate_limited 1", "hits 25% (1 of 4), saved $0.01"):
        assert words in ran.out


@pytest.mark.parametrize("env", [{"TERM": "dumb"}, {"PYTHONIOENCODING": "ascii"}])
def test_text_has_no_blocks_where_none_can_be_shown(deepsel: Deepsel, log: SqliteState, env: dict[str, str]) -> None:
    """A dumb terminal and one without UTF-8 are drawn on in ASCII signs."""
    ran = deepsel("stats", env=env)
    assert not re.search("[\u2580-\u259f]", ran.out)
    assert re.search(r"^fast +#{20} ", ran.out, re.MULTILINE)


@pytest.mark.parametrize("columns", [40, 60, 80, 120])
def test_text_is_as_wide_as_the_terminal(deepsel: Deepsel, log: SqliteState, columns: int) -> None:
    """Names of wide characters are cut to their column, and what follows them stands where it does in every line."""
    log.add([_row("\u9577\u3044\u540d\u524d" * 9, error_class="server", outcome="failed")])
    lines = deepsel("stats", env={"COLUMNS": str(columns)}).out.splitlines()
    assert max(map(width, lines)) <= columns
    bars = [line for line in lines if "█" in line and not line.startswith(" ")]
    assert len({width(line[: line.index("█")]) for line in bars}) == 1
    assert any("名前 " in line for line in bars)


def test_budgets_are_shown(deepsel: Deepsel, log: SqliteState, profiles: Callable[..., Path]) -> None:
    """Spend stands against the budgets of every profile."""
    profiles(profile='daily_budget_usd = "0.10"\nmonthly_budget_usd = "10"', one="http://127.0.0.1:1/v1")
    ran = deepsel("stats")
    assert max(map(len, ran.out.splitlines())) <= 80
    assert "30%  $0.07 of $0.10 left" in ran.out
    day, month = deepsel("stats", "--json").record()["budgets"]
    assert (day["spent_usd"], day["budget_usd"], month["period"]) == ("0.03", "0.10", "month")


def test_page_needs_nothing_else(deepsel: Deepsel, log: SqliteState) -> None:
    """The page is whole, refers to nothing outside, and escapes what a log may hold."""
    log.add([_row("<script>alert(1)</script>", ttft_s=0.5, total_s=1.0)])
    page = deepsel("stats", "--html").out
    assert page.startswith("<!doctype html>")
    assert page.rstrip().endswith("</html>")
    assert "<svg" in page
    assert "<script>alert" not in page
    assert "http://" not in page
    assert "https://" not in page


def test_nothing_asked_is_said(deepsel: Deepsel, home: Path) -> None:
    """Without observations the report is empty, says so, makes no file and is no error."""
    ran = deepsel("stats")
    assert (ran.code, "nothing was asked" in ran.err) == (0, True)
    assert not (home / "data").exists()


def test_mistakes_are_told(deepsel: Deepsel, home: Path) -> None:
    """An unknown key, a length without unit, two forms at once are usage errors; a broken log is a configuration error."""
    for arguments in (("--by", "modle"), ("--since", "seven"), ("--json", "--html")):
        assert deepsel("stats", *arguments).code == 2
    (home / "data").mkdir()
    (home / "data" / "observations.sqlite").write_bytes(b"no database" * 1000)
    assert deepsel("stats").code == 3


ROWS = st.lists(
    st.builds(
        Observation,
        at=st.floats(0, 1e6),
        profile=st.sampled_from("ab"),
        provider=st.sampled_from("pq"),
        model=st.sampled_from("xyz"),
        task=st.just("chat"),
        outcome=st.sampled_from(["ok", "failed", "hit"]),
        cost_picousd=st.none() | st.integers(0, 10**12),
        number=st.integers(1, 3),
        ttft_s=st.none() | st.floats(0, 100),
    )
)


@given(ROWS)
def test_groups_add_up_to_the_whole(rows: list[Observation]) -> None:
    """Whatever was observed, the groups of every kind hold it once, and quantiles rise."""
    whole = total(rows, since=0, until=1e6, parts=10)
    for by in ("model", "provider", "profile", "day"):
        groups = group(rows, by, since=0, until=1e6, parts=10)  # type: ignore[arg-type]
        assert sum(one.requests for one in groups) == whole.requests == sum(whole.timeline)
        assert sum((one.spend_usd for one in groups), Decimal(0)) == whole.spend_usd
    times = [value for value in whole.ttft_s.values() if value is not None]
    assert times == sorted(times)


def test_what_the_user_ended_is_no_error(deepsel: Deepsel, log: SqliteState) -> None:
    """A call ended by Ctrl-C is counted apart: with its cost, in no error rate and in no time to the end."""
    before = deepsel("stats", "--json").record()["total"]
    log.add([_row("ended", outcome="cancelled", total_s=500.0, cost_picousd=picousd(Decimal("0.01")))])
    after = deepsel("stats", "--json").record()["total"]
    assert (after["cancelled"], after["attempts"]) == (1, before["attempts"] + 1)
    assert (after["errors"], after["error_rate"], after["total_s"]) == (before["errors"], before["error_rate"], before["total_s"])
    assert Decimal(after["spend_usd"]) > Decimal(before["spend_usd"])
    assert re.search(r"^  ended by you 1$", deepsel("stats").out, re.MULTILINE)
