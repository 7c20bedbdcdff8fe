"""How a line ended, as the ledger counts it, and the ledger's sums as a job's tally; pure."""

from __future__ import annotations

from collections.abc import Mapping

from deepsel.batch.journal import Done
from deepsel.batch.tally import JobTally, LaneTally
from deepsel.fleet.ledger import Ended

_SUMS = ("ok", "failed", "skipped", "calls", "cached", "input_tokens", "output_tokens", "cost_picousd", "unknown", "lost", "lost_picousd")


def ended_of(done: Done) -> Ended:
    """Make the ledger's form of a line's end."""
    cost = 0 if done.is_simulated else done.cost_picousd
    counts = {
        **status_counts(done),
        "calls": done.calls,
        "cached": int(done.is_cached),
        "input_tokens": done.input_tokens,
        "output_tokens": done.output_tokens,
        "cost_picousd": cost or 0,
        "unknown": int(cost is None),
        f"lane {done.lane} lines": 1,
        f"lane {done.lane} cost": cost or 0,
    }
    entry = done.entry().rstrip(b"\n")
    told = tuple((name, count) for name, count in counts.items() if count)
    return Ended(done.place, entry, cost, done.calls, done.status != "ok", told)


def status_counts(done: Done) -> dict[str, int]:
    """Return what is taken back where the line is asked anew: what was paid for it stays."""
    return {done.status: 1, **({f"error {done.error}": 1} if done.error is not None else {})}


def tally_of(counts: Mapping[str, int]) -> JobTally:
    """Read the ledger's sums."""
    tally = JobTally()
    for name in _SUMS:
        setattr(tally, name, counts.get(name, 0))
    for name, count in counts.items():
        kind, _, rest = name.partition(" ")
        if kind == "error":
            tally.errors[rest] += count
        elif kind == "lane":
            lane, _, what = rest.rpartition(" ")
            one = tally.lanes.setdefault(lane, LaneTally())
            if what == "lines":
                one.lines += count
            else:
                one.cost_picousd += count
    return tally
