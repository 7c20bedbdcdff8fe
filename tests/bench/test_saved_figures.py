"""What `deepsel bench --save` measured is what `deepsel ask --explain` reckons with, and names as its source."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def explained(deepsel: Any) -> Callable[[], str]:
    """What a plan says of the one candidate's latency."""

    def latency() -> str:
        (candidate,) = deepsel("ask", "Hi", "--no-cache", "--explain", "--json").record()["candidates"]
        (reason,) = [text for text in candidate["reasons"] if "latency" in text or text.startswith("expected")]
        assert reason in deepsel("ask", "Hi", "--no-cache", "--explain").out
        return str(reason)

    return latency


def test_explain_names_the_bench(deepsel: Any, simulate: Any, profiles: Any, home: Path, explained: Any) -> None:
    """Unknown before; then the saved medians, as `bench`; and as observed, once there are answers enough to go by."""
    profiles(quick=simulate(ttft_s=0.3, itl_s=0.005, output_tokens=10))
    assert explained() == "latency unknown"
    assert deepsel("bench", "-n", "2", "-q").code == 0
    assert explained() == "latency unknown", "nothing is kept without --save"

    assert deepsel("bench", "-n", "2", "-q", "--save").code == 0
    row = json.loads((home / "data" / "bench.json").read_text())["quick"]
    assert row["ttft_s"] >= 0.3
    plan = deepsel("ask", "Hi", "--no-cache", "--explain").out
    length = re.search(r"~(\d+) tokens", plan)
    assert length
    expected_s = row["ttft_s"] + int(length[1]) / row["tokens_per_s"]
    assert explained() == f"expected {expected_s:.1f} s (bench)"

    assert deepsel("bench", "-n", "3", "-q", "--save").code == 0
    observed = re.fullmatch(r"expected ([\d.]+) s \(observed in 5 answers\)", explained())
    assert observed
    assert float(observed[1]) >= 0.3


def test_the_measured_figures_choose(deepsel: Any, simulate: Any, profiles: Any) -> None:
    """Of two models that differ in nothing that is known beforehand, the one that was measured to be faster comes first."""
    slow, quick = simulate(ttft_s=0.6, itl_s=0.02, output_tokens=10), simulate(ttft_s=0.01, itl_s=0.001, output_tokens=10)
    path = profiles(slow=slow, quick=quick)
    path.write_text(path.read_text().replace('strategy = "ordered"', 'strategy = "fastest"'))

    def ranked() -> list[str]:
        plan = deepsel("ask", "Hi", "--no-cache", "--explain", "--json").record()
        return [candidate["model"] for candidate in plan["candidates"]]

    assert ranked() == ["slow", "quick"]
    assert deepsel("bench", "-m", "slow", "-m", "quick", "-n", "2", "-q", "--save").code == 0
    assert ranked() == ["quick", "slow"]
