"""The bound on calls at once holds over the processes of a user."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

Make = Callable[..., Any]


def test_max_concurrency_holds_across_processes(deepsel: Make, simulate: Make, profiles: Callable[..., Path]) -> None:
    """A host that refuses the third call at once never gets one, however many processes ask together."""
    host = simulate(text="Fine.", max_concurrent=2, ttft_s=0.3)
    path = profiles(profile="retries = 0", one=host)
    path.write_text(path.read_text().replace("[models.one]", "max_concurrency = 2\n[models.one]"))
    with ThreadPoolExecutor(6) as pool:
        ended = list(pool.map(lambda number: deepsel("ask", "--no-cache", "-q", f"Question {number}"), range(6)))
    assert [(ran.code, ran.out) for ran in ended] == [(0, "Fine.\n")] * 6
    assert len(host.calls) == 6
