"""Cool-downs: what is measured, when an endpoint is left alone, who probes it, and when it is back."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepsel.errors import ErrorClass
from deepsel.health.cooldowns import (
    Endpoint,
    Seen,
    Standing,
    Thresholds,
    all_states,
    claim_probe,
    judge_probe,
    read_state,
    review,
    watch,
)
from deepsel.health.database import Database
from deepsel.health.log import Observation, ObservationLog
from deepsel.health.percentiles import quantile

NOW = 1_800_000_000.0
HERE = Endpoint("deepseek", "deepseek-flash")
LIMITS = Thresholds(ttft_p95_s=3.0, error_rate=0.5, window_s=300, min_samples=5, cooldown_s=300)
SLOW = Seen(5, 6.2, 0.0)


def _call(ttft_s: float | None = 0.5, error: str | None = None, *, at: float = NOW, outcome: str = "") -> Observation:
    outcome = outcome or ("failed" if error else "ok")
    return Observation(at, "main", *HERE, "chat", outcome, error, ttft_s=ttft_s, total_s=9.0)


def _standing(log: ObservationLog, at: float, limits: Thresholds = LIMITS) -> Standing:
    state = log.database.read(lambda database: read_state(database, HERE), empty=None)
    return state.standing(limits, at=at) if state else Standing("well")


def _review(log: ObservationLog, at: float = NOW, limits: Thresholds = LIMITS) -> Standing:
    log.database.write(lambda database: review(database, HERE, limits, at=at))
    return _standing(log, at, limits)


def _judge(log: ObservationLog, probe: Seen | None, at: float) -> Standing:
    log.database.write(lambda database: judge_probe(database, HERE, LIMITS, probe, at=at))
    return _standing(log, at)


def _cooling(folder: Path) -> ObservationLog:
    """An endpoint that began to cool down at NOW."""
    log = ObservationLog(folder)
    log.add([_call(6.2) for _ in range(5)])
    assert _review(log).state == "cooling"
    return log


@given(st.lists(st.floats(0, 100), min_size=1, max_size=50), st.floats(0, 1))
def test_quantile_lies_between_and_knows_no_order(values: list[float], share: float) -> None:
    """A quantile is between the extremes, grows with its share, and does not depend on the order."""
    found = quantile(values, share)
    assert found is not None
    assert min(values) <= found <= max(values) or found == pytest.approx(min(values))
    assert quantile(reversed(values), share) == found
    assert quantile([], share) is None


@pytest.mark.parametrize(("calls", "state"), [(4, "well"), (5, "cooling"), (6, "cooling")])
def test_enough_slow_calls_cool_an_endpoint(tmp_path: Path, calls: int, state: str) -> None:
    """`min_samples` calls over the limit are enough, fewer are not; the reason holds the numbers."""
    log = ObservationLog(tmp_path)
    log.add([_call(6.2) for _ in range(calls)])
    standing = _review(log)
    assert standing.state == state
    if state == "cooling":
        assert standing.why == f"p95 to first token 6.2 s over 3.0 s in {calls} calls"
        assert standing.seconds_left == 300


def test_errors_cool_an_endpoint_and_refusals_do_not(tmp_path: Path) -> None:
    """More failures on the provider's side than allowed count; wrong keys and requests say nothing of the endpoint."""
    log = ObservationLog(tmp_path)
    log.add([_call(None, "auth"), _call(None, "bad_request"), _call(None, "billing")] * 5)
    log.add([_call(), _call(), _call(None, "server"), _call(None, "overloaded")])
    assert _review(log).state == "well"
    log.add([_call(None, "network")])
    assert _review(log).why == "60% errors over 50% in 5 calls"


def test_only_the_window_counts(tmp_path: Path) -> None:
    """Calls from before the window, and hits, are not looked at; a stalled call waited its whole length."""
    log = ObservationLog(tmp_path)
    log.add([_call(9.0, at=NOW - 301) for _ in range(9)])
    log.add([_call(9.0, outcome="hit") for _ in range(9)])
    log.add([_call(None, ErrorClass.STALLED)])
    seen = log.database.read(lambda one: watch(one, HERE, after=NOW - 300, until=NOW), empty=None)
    assert seen == Seen(1, 9.0, 1.0)


def test_each_profile_judges_by_its_own_limits(tmp_path: Path) -> None:
    """A patient profile keeps using an endpoint that another one leaves alone."""
    log = _cooling(tmp_path)
    patient = Thresholds(ttft_p95_s=10, error_rate=0.5, window_s=300, min_samples=5, cooldown_s=300)
    assert _standing(log, NOW, patient).state == "well"
    assert _standing(log, NOW).state == "cooling"


def test_one_good_probe_brings_it_back(tmp_path: Path) -> None:
    """After the cool-down one claim succeeds, the probe heals, and the old slow calls are forgotten."""
    log = _cooling(tmp_path)
    assert not claim_probe(log.database, HERE, LIMITS, at=NOW + 299, lease_s=60)
    assert _standing(log, NOW + 300).state == "half_open"
    assert claim_probe(log.database, HERE, LIMITS, at=NOW + 300, lease_s=60)
    assert _standing(log, NOW + 301).state == "probing"
    assert _judge(log, Seen(1, 0.4, 0.0), NOW + 302).state == "well"
    log.add([_call(6.2, at=NOW + 303) for _ in range(4)])
    assert _review(log, NOW + 304).state == "well", "four new slow calls are not five"


@pytest.mark.parametrize("probe", [Seen(1, 6.0, 0.0), Seen(1, None, 1.0)])
def test_a_bad_probe_begins_a_new_cool_down(tmp_path: Path, probe: Seen) -> None:
    """A slow or failed probe leaves the endpoint alone for another `cooldown_s`."""
    log = _cooling(tmp_path)
    assert claim_probe(log.database, HERE, LIMITS, at=NOW + 300, lease_s=60)
    standing = _judge(log, probe, NOW + 310)
    assert (standing.state, standing.seconds_left) == ("cooling", 300)


def test_a_probe_that_showed_nothing_is_free_again(tmp_path: Path) -> None:
    """A refused or dropped probe, and one whose process died, leave the next request to probe."""
    log = _cooling(tmp_path)
    assert claim_probe(log.database, HERE, LIMITS, at=NOW + 300, lease_s=60)
    assert _judge(log, None, NOW + 301).state == "half_open"
    assert claim_probe(log.database, HERE, LIMITS, at=NOW + 301, lease_s=60)
    assert not claim_probe(log.database, HERE, LIMITS, at=NOW + 360, lease_s=60)
    assert claim_probe(log.database, HERE, LIMITS, at=NOW + 361, lease_s=60), "the claim has run out"


def test_a_storm_sends_one_probe(tmp_path: Path) -> None:
    """Of 60 claims from five processes at once exactly one is granted."""
    log = _cooling(tmp_path)
    code = (
        "import sys; from concurrent.futures import ThreadPoolExecutor; from pathlib import Path\n"
        "from deepsel.health.cooldowns import Endpoint, Thresholds, claim_probe\n"
        "from deepsel.health.database import Database\n"
        "database, limits = Database(Path(sys.argv[1])), Thresholds(3.0, 0.5, 300, 5, 300)\n"
        f"claim = lambda _: claim_probe(database, Endpoint(*{tuple(HERE)!r}), limits, at={NOW + 300}, lease_s=60)\n"
        "with ThreadPoolExecutor(12) as pool: print(sum(pool.map(claim, range(12))))\n"
        "assert not database.notices()\n"
    )
    storm = [
        subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True)
        for _ in range(5)
    ]
    assert sorted(int(one.communicate(timeout=60)[0]) for one in storm) == [0, 0, 0, 0, 1]
    assert _standing(log, NOW + 301).state == "probing"


def test_processes_that_start_together_share_one_file(tmp_path: Path) -> None:
    """Twenty threads that make the file at the same moment lose nothing, and leave nothing else behind."""

    def add(number: int) -> list[str]:
        log = ObservationLog(tmp_path)
        log.add([_call(at=NOW + number)])
        return [notice.message for notice in log.notices()]

    with ThreadPoolExecutor(20) as pool:
        assert [*pool.map(add, range(20))] == [[]] * 20
    assert len(ObservationLog(tmp_path).since(0) or []) == 20
    assert {path.name.partition("-")[0] for path in tmp_path.iterdir()} == {"observations.sqlite"}


def test_troubles_are_listed(tmp_path: Path) -> None:
    """Every endpoint that was ever in trouble can be read, for reports."""
    log = _cooling(tmp_path)
    assert list(Database(tmp_path).read(all_states, empty={}) or {}) == [HERE]
    assert log.notices() == []
