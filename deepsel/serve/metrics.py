"""Counts what happens, and writes it in Prometheus' text format; holds no text of anybody's. Safe to use from many threads.

The format: https://prometheus.io/docs/instrumenting/exposition_formats/ (version 0.0.4, read 2026-11-28).
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterable, Mapping
from decimal import Decimal

from deepsel.values import Answer

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
_Labels = tuple[tuple[str, str], ...]
_HELP = {
    "deepsel_requests_total": "Requests answered, by path, status and client.",
    "deepsel_tokens_total": "Tokens, by model, provider and kind.",
    "deepsel_cost_usd_total": "What answers cost, as far as that is known.",
    "deepsel_unpriced_total": "Answers whose cost nobody knows.",
    "deepsel_attempt_errors_total": "Calls of providers that failed, by class.",
    "deepsel_cache_total": "What the answer cache did.",
    "deepsel_switches_total": "Conversations that moved to another model.",
}


class Metrics:
    """The counters of one server."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sums: dict[str, dict[_Labels, Decimal]] = {name: defaultdict(Decimal) for name in _HELP}
        self._ttft: dict[_Labels, list[int]] = {}
        self._ttft_sum_s: dict[_Labels, float] = defaultdict(float)

    def request(self, path: str, status: int | None, client: str) -> None:
        """Count a request; a path that is none of ours is counted as one."""
        self._add("deepsel_requests_total", 1, path=path, status=str(status or "none"), client=client)

    def answer(self, answer: Answer, ttft_s: float | None) -> None:
        """Count what an answer took."""
        of = {"model": answer.model, "provider": answer.provider}
        usage = answer.usage
        if answer.cache.status != "hit":
            kinds = {
                "input": usage.input_uncached, "cached_input": usage.cache_read, "cache_write": usage.cache_write_tokens,
                "output": usage.output_visible, "reasoning": usage.output_reasoning,
            }  # fmt: skip
            for kind, number in kinds.items():
                if number:
                    self._add("deepsel_tokens_total", number, **of, kind=kind)
        if answer.cost_usd is None:
            self._add("deepsel_unpriced_total", 1, **of)
        elif not answer.is_simulated:
            self._add("deepsel_cost_usd_total", answer.cost_usd, **of)
        self._add("deepsel_cache_total", 1, status=answer.cache.status)
        for attempt in answer.attempts:
            if attempt.error_class is not None:
                names = {"model": attempt.model, "provider": attempt.provider, "class": str(attempt.error_class)}
                self._add("deepsel_attempt_errors_total", 1, **names)
        if ttft_s is not None:
            self._time(tuple(of.items()), ttft_s)

    def switch(self) -> None:
        """Count a conversation that moved."""
        self._add("deepsel_switches_total", 1)

    def page(self, gauges: Mapping[str, Iterable[tuple[_Labels, object]]]) -> bytes:
        """Write everything; `gauges` are what is true now, by name."""
        lines: list[str] = []
        with self._lock:
            for name, rows in self._sums.items():
                lines += [f"# HELP {name} {_HELP[name]}", f"# TYPE {name} counter"]
                lines += [f"{name}{_written(labels)} {value:f}" for labels, value in rows.items()]
            name = "deepsel_ttft_seconds"
            lines += [f"# HELP {name} From a request to the first of its answer.", f"# TYPE {name} histogram"]
            for labels, counts in self._ttft.items():
                for bound, number in zip((*_SECONDS, float("inf")), counts, strict=True):
                    le = "+Inf" if bound == float("inf") else f"{bound:g}"
                    lines.append(f"{name}_bucket{_written((*labels, ('le', le)))} {number}")
                lines.append(f"{name}_sum{_written(labels)} {self._ttft_sum_s[labels]:.6f}")
                lines.append(f"{name}_count{_written(labels)} {counts[-1]}")
        for name, found in gauges.items():
            lines += [f"# TYPE {name} gauge", *(f"{name}{_written(labels)} {value}" for labels, value in found)]
        return ("\n".join(lines) + "\n").encode()

    def _add(self, name: str, amount: Decimal | int, **labels: str) -> None:
        with self._lock:
            self._sums[name][tuple(labels.items())] += amount

    def _time(self, labels: _Labels, seconds: float) -> None:
        with self._lock:
            counts = self._ttft.setdefault(labels, [0] * (len(_SECONDS) + 1))
            for place, bound in enumerate((*_SECONDS, float("inf"))):
                counts[place] += seconds <= bound
            self._ttft_sum_s[labels] += seconds


def _written(labels: _Labels) -> str:
    """Write labels; quotes, backslashes and line ends are escaped."""
    if not labels:
        return ""
    escaped = ((name, value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")) for name, value in labels)
    return "{" + ",".join(f'{name}="{value}"' for name, value in escaped) + "}"
