"""What `batch run` says before and after, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from deepsel.show.durations import duration_text
from deepsel.show.money import usd

if TYPE_CHECKING:
    from deepsel.batch.job import Job
    from deepsel.batch.keeping import Keeper
    from deepsel.batch.planning import JobPlan


def plan_lines(plan: JobPlan, keeper: Keeper | None, job: Job, *, retried: int = 0) -> Iterator[str]:
    """Yield what will be done and what it will cost."""
    yield f"{plan.lines:,} lines from {job.source.label}"
    if keeper is not None:
        tally = keeper.tally
        held = usd(Decimal(tally.lost_picousd).scaleb(-12))
        lost = f"; {tally.lost:,} were under way when it ended, {held} held for them" if tally.lost else ""
        again = f", {retried:,} failed ones are asked anew" if retried else ""
        yield f"done before: {tally.done:,}, spent {usd(tally.cost_usd)}{again}{lost}"
    for (lane, name), share in sorted(plan.shares.items()):
        cost = "an unknown amount" if share.unpriced == share.lines else usd(share.cost_usd)
        cost += f" and {share.unpriced:,} of unknown price" if 0 < share.unpriced < share.lines else ""
        cost = "simulated, nothing is paid" if share.provider.is_simulated else cost
        yield f"  {name} ({lane}): {share.lines:,} lines, {share.input_tokens:,} tokens in, about {share.output_tokens:,} out, {cost}"
        if note := job.price_note(share):
            yield f"    {note}"
    for one in plan.lanes if job.bounds.lane != "now" else ():
        yield f"  {one.model.name}: {one.choice.why}"
    for kind, lines in sorted(plan.refused.items()):
        yield f"  not sent: {lines:,} lines ({kind})"
    cap = f"; it ends at {usd(job.bounds.cap_usd)}" if job.bounds.cap_usd is not None else ""
    yield f"projected: {usd(plan.cost_usd)}{cap}"


def summary_line(summary: Mapping[str, Any]) -> str:
    """Say how it ended."""
    parts = [f"{summary['ok']:,} of {summary['lines']:,} lines answered"]
    bad = summary["failed"] + summary["skipped"]
    parts += [f"{bad:,} without an answer"] if bad else []
    parts.append(f"{summary['calls']:,} calls")
    parts += [f"{summary['cached']:,} from the cache"] if summary["cached"] else []
    parts.append(f"{usd(summary['cost_usd'])} (projected {usd(summary['projected_usd'])})")
    parts.append(duration_text(summary["seconds"]))
    limits = ", ".join(f"{name} {one['last']} at once" for name, one in summary["limits"].items())
    return "; ".join(parts) + (f"; found: {limits}" if limits else "")
