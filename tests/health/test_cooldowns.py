"""Cool-downs: what is measured, when an endpoint is left alone, who probes it, and when it is back."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepsel.errors import ErrorClass
from deepsel.health.cooldowns import (
    MOST_WATCHED,
    Evidence,
    Judgement,
    Standing,
    Thresholds,
)
from deepsel.health.endpoint import Endpoint
from deepsel.health.holds import Budgets
from deepsel.health.log import Observation
from deepsel.health.percentiles import quantile
from deepsel.health.sqlite_state import SqliteState

NOW = 1_800_000_000.0
HERE = Endpoint("deepseek", "deepseek-flash")
LIMITS = Thresholds(ttft_p95_s=3.0, error_rate=0.5, window_s=300, min_samples=5, cooldown_s=300)
SLOW = Evidence(5, 6.2, 0.0)


def _call(ttft_s: float | None = 0.5, error: str | None = None, *, at: float = NOW, outcome: str = "") -> Observation:
    outcome = outcome or ("failed" if error else "ok")
    return Observation(at, "main", *HERE, "chat", outcome, error, ttft_s=ttft_s, total_s=9.0)


def _standing(state: SqliteState, at: float, limits: Thresholds = LIMITS) -> Standing:
    instant = datetime.fromtimestamp(at, UTC)
    known = state.outlook([HERE], task="chat", thresholds=limits, budgets=Budgets("main"), at=instant)
    return known.endpoints[HERE].standing if known.endpoints else Standing("well")


def _review(state: SqliteState, at: float = NOW, limits: Thresholds = LIMITS) -> Standing:
    """Have the window looked at by another process, whose call was ended by its user and says nothing."""
    other = SqliteState(state._database.path.parent)
    assert other.add([_call(at=at, outcome="cancelled")], judgement=Judgement(limits, at)) == ()
    return _standing(state, at, limits)


def _judge(state: SqliteState, probe: Evidence | None, at: float) -> Standing:
    assert state.add([], judgement=Judgement(LIMITS, at, {HERE: probe})) == ()
    return _standing(state, at)


def _claims(state: SqliteState, at: float) -> bool:
    return bool(state.claim_probe(HERE, LIMITS, at=at, lease_s=60).value)


def _cooling(folder: Path) -> SqliteState:
    """An endpoint that began to cool down at NOW."""
    state = SqliteState(folder)
    state.add([_call(6.2) for _ in range(5)])
    assert _review(state).state == "cooling"
    return state


@given(st.lists(st.floats(0, 100), min_size=1, max_size=50), st.floats(0, 1))
def test_quantile_lies_between_and_knows_no_order(values: list[float], share: float) -> None:
    """A quantile is between the extremes, grows with its share, and does not depend on the order."""
    found = quantile(values, share)
    assert found is not None
    assert min(values) <= found <= max(values) or found == pytest.approx(min(values))
    assert quantile(reversed(values), share) == found
    assert quantile([], share) is None


@pytest.mark.parametrize(("calls", "expected"), [(4, "well"), (5, "cooling"), (6, "cooling")])
def test_enough_slow_calls_cool_an_endpoint(tmp_path: Path, calls: int, expected: str) -> None:
    """`min_samples` calls over the limit are enough, fewer are not; the reason holds the numbers."""
    state = SqliteState(tmp_path)
    state.add([_call(6.2) for _ in range(calls)])
    standing = _review(state)
    assert standing.state == expected
    if expected == "cooling":
        assert standing.why == f"p95 to first token 6.2 s over 3.0 s in {calls} calls"
        assert standing.seconds_left == 300


def test_errors_cool_an_endpoint_and_refusals_do_not(tmp_path: Path) -> None:
    """More failures on the provider's side than allowed count; wrong keys and requests say nothing of the endpoint."""
    state = SqliteState(tmp_path)
    state.add([_call(None, "auth"), _call(None, "bad_request"), _call(None, "billing")] * 5)
    state.add([_call(), _call(), _call(None, "server"), _call(None, "overloaded")])
    assert _review(state).state == "well"
    state.add([_call(None, "network")])
    assert _review(state).why == "60% errors over 50% in 5 calls"


def test_only_the_window_counts(tmp_path: Path) -> None:
    """Calls from before the window, and hits, are not looked at; a stalled call waited its whole length."""
    state = SqliteState(tmp_path)
    state.add([_call(9.0, at=NOW - 301) for _ in range(9)])
    state.add([_call(9.0, outcome="hit") for _ in range(9)])
    state.add([_call(None, ErrorClass.STALLED)])
    standing = _review(state, limits=LIMITS._replace(min_samples=1))
    assert standing.why == "p95 to first token 9.0 s over 3.0 s and 100% errors over 50% in 1 call"


def test_each_profile_judges_by_its_own_limits(tmp_path: Path) -> None:
    """A patient profile keeps using an endpoint that another one leaves alone."""
    state = _cooling(tmp_path)
    patient = Thresholds(ttft_p95_s=10, error_rate=0.5, window_s=300, min_samples=5, cooldown_s=300)
    assert _standing(state, NOW, patient).state == "well"
    assert _standing(state, NOW).state == "cooling"


def test_one_good_probe_brings_it_back(tmp_path: Path) -> None:
    """After the cool-down one claim succeeds, the probe heals, and the old slow calls are forgotten."""
    state = _cooling(tmp_path)
    assert not _claims(state, NOW + 299)
    assert _standing(state, NOW + 300).state == "half_open"
    assert _claims(state, NOW + 300)
    assert _standing(state, NOW + 301).state == "probing"
    assert _judge(state, Evidence(1, 0.4, 0.0), NOW + 302).state == "well"
    state.add([_call(6.2, at=NOW + 303) for _ in range(4)])
    assert _review(state, NOW + 304).state == "well", "four new slow calls are not five"


@pytest.mark.parametrize(
    ("seen", "call", "state_after"),
    [
        (SLOW, _call(0.4), "well"),
        (SLOW, _call(6.0), "cooling"),
        (Evidence(5, None, 1.0), _call(6.0), "well"),
        (Evidence(5, None, 1.0), _call(None), "well"),
        (Evidence(5, None, 1.0), _call(None, ErrorClass.SERVER), "cooling"),
        (SLOW, _call(0.4, outcome="hit"), "cooling"),
    ],
)
def test_a_real_answer_ends_a_cool_down(tmp_path: Path, seen: Evidence, call: Observation, state_after: str) -> None:
    """What answers all the same is well, unless it is as slow as before; an answer from the cache shows nothing."""
    state = SqliteState(tmp_path)
    for _ in range(seen.samples):
        state.add([_call(seen.ttft_p95_s) if seen.ttft_p95_s else _call(None, ErrorClass.SERVER)])
    assert _review(state).state == "cooling"
    assert state.add([call._replace(at=NOW + 5)], judgement=Judgement(LIMITS, NOW + 5)) == ()
    assert _standing(state, NOW + 5).state == state_after


def test_a_patient_profile_ends_nobody_elses_cool_down(tmp_path: Path) -> None:
    """An answer that is quick enough for one profile says nothing to another that is stricter."""
    state = _cooling(tmp_path)
    patient = LIMITS._replace(ttft_p95_s=10)
    state.add([_call(6.0, at=NOW + 5)], judgement=Judgement(patient, NOW + 5))
    assert _standing(state, NOW + 5).state == "cooling"


def test_reasoning_is_a_sign_of_life(tmp_path: Path) -> None:
    """A model that thinks for long before its first text is not slow; one whose thoughts come late is."""
    state = SqliteState(tmp_path)
    state.add([_call(20.0)._replace(first_sign_s=0.5)] * 6)
    assert _review(state).state == "well"
    state.add([_call(20.0)._replace(first_sign_s=9.0)] * 6)
    assert _review(state).state == "cooling"


def test_loading_is_no_sample(tmp_path: Path) -> None:
    """A server that says it is starting is neither sick nor well."""
    state = SqliteState(tmp_path)
    loading = _call(None, ErrorClass.OVERLOADED)._replace(is_loading=True)
    state.add([loading] * 9, judgement=Judgement(LIMITS, NOW))
    assert _review(state).state == "well"
    state.add([_call(None, ErrorClass.OVERLOADED)] * 5)
    assert _review(state).state == "cooling", "five overloads are five, with loading or without"


@pytest.mark.parametrize("probe", [Evidence(1, 6.0, 0.0), Evidence(1, None, 1.0)])
def test_a_bad_probe_begins_a_new_cool_down(tmp_path: Path, probe: Evidence) -> None:
    """A slow or failed probe leaves the endpoint alone for another `cooldown_s`."""
    state = _cooling(tmp_path)
    assert _claims(state, NOW + 300)
    standing = _judge(state, probe, NOW + 310)
    assert (standing.state, standing.seconds_left) == ("cooling", 300)


def test_a_probe_that_showed_nothing_is_free_again(tmp_path: Path) -> None:
    """A refused or dropped probe, and one whose process died, leave the next request to probe."""
    state = _cooling(tmp_path)
    assert _claims(state, NOW + 300)
    assert _judge(state, None, NOW + 301).state == "half_open"
    assert _claims(state, NOW + 301)
    assert not _claims(state, NOW + 360)
    assert _claims(state, NOW + 361), "the claim has run out"


def test_a_storm_sends_one_probe(tmp_path: Path) -> None:
    """Of 60 claims from five processes at once exactly one is granted."""
    state = _cooling(tmp_path)
    code = (
        "import sys; from concurrent.futures import ThreadPoolExecutor; from pathlib import Path\n"
        "from deepsel.health.cooldowns import Endpoint, Thresholds\n"
        "from deepsel.health.sqlite_state import SqliteState\n"
        "state, limits = SqliteState(Path(sys.argv[1])), Thresholds(3.0, 0.5, 300, 5, 300)\n"
        f"claim = lambda _: state.claim_probe(Endpoint(*{tuple(HERE)!r}), limits, at={NOW + 300}, lease_s=60)\n"
        "with ThreadPoolExecutor(12) as pool: claims = [*pool.map(claim, range(12))]\n"
        "assert not any(claim.notices for claim in claims)\n"
        "print(sum(claim.value for claim in claims))\n"
    )
    storm = [
        subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True)
        for _ in range(5)
    ]
    assert sorted(int(one.communicate(timeout=60)[0]) for one in storm) == [0, 0, 0, 0, 1]
    assert _standing(state, NOW + 301).state == "probing"


def test_processes_that_start_together_share_one_file(tmp_path: Path) -> None:
    """Twenty threads that make the file at the same moment lose nothing, and leave nothing else behind."""

    def add(number: int) -> list[str]:
        state = SqliteState(tmp_path)
        return [notice.message for notice in state.add([_call(at=NOW + number)])]

    with ThreadPoolExecutor(20) as pool:
        assert [*pool.map(add, range(20))] == [[]] * 20
    assert len(SqliteState(tmp_path).since(0).value or []) == 20
    assert {path.name.partition("-")[0] for path in tmp_path.iterdir()} == {"observations.sqlite"}


def test_troubles_are_listed(tmp_path: Path) -> None:
    """Every endpoint that was ever in trouble can be read, for reports."""
    state = _cooling(tmp_path)
    found, notices = state.troubled()
    assert (list(found or {}), notices) == ([HERE], ())


def test_a_burst_of_good_calls_is_judged_as_one_by_one(tmp_path: Path) -> None:
    """Where a window was well a moment ago, good calls are not weighed again; the first bad ones still are."""
    state, judgement = SqliteState(tmp_path), Judgement(LIMITS, NOW)
    for _ in range(10):
        state.add([_call(0.5)], judgement=judgement)
    assert _standing(state, NOW).state == "well"
    for _ in range(11):
        state.add([_call(None, "server")], judgement=judgement)
    assert _standing(state, NOW).state == "cooling"


def test_only_the_newest_calls_of_a_long_window_count(tmp_path: Path) -> None:
    """Of more calls than are watched the old ones are left out, so that the newest decide."""
    state = SqliteState(tmp_path)
    state.add([_call(9.0, at=NOW - 100) for _ in range(MOST_WATCHED)])
    state.add([_call(0.5, at=NOW - 1) for _ in range(MOST_WATCHED)])
    assert _review(state).state == "well"


@pytest.mark.parametrize("days", [1, 30])
def test_a_cool_down_of_a_clock_that_ran_ahead_ends_with_the_next_probe(tmp_path: Path, days: int) -> None:
    """It may have begun at any time, so the next request tests it; a claim and a recovery that lie ahead hold for nothing either."""
    ahead = NOW + days * 86_400
    state = SqliteState(tmp_path)
    state.add([_call(6.2, at=ahead) for _ in range(5)], judgement=Judgement(LIMITS, ahead))
    assert _standing(state, ahead).state == "cooling"
    assert _standing(state, NOW).state == "half_open"
    assert _claims(state, NOW)
    assert _judge(state, Evidence(1, 0.4, 0.0), NOW).state == "well"
    state.add([_call(6.2, at=ahead) for _ in range(5)], judgement=Judgement(LIMITS, ahead))
    _judge(state, Evidence(1, 0.4, 0.0), ahead)
    state.add([_call(6.2) for _ in range(5)])
    assert _review(state).state == "cooling", "what healed it lies ahead"


def test_a_class_of_another_version_says_nothing(tmp_path: Path) -> None:
    """Calls that failed in a way that only a newer deepsel knows are no samples."""
    state = SqliteState(tmp_path)
    state.add([_call(None, "quota_v2") for _ in range(9)])
    assert _review(state).state == "well"
