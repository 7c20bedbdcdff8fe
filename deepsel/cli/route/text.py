"""How an evaluation is shown as a table and as a record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from deepsel.show.columns import text_table
from deepsel.show.money import usd
from deepsel.show.record import SCHEMA_VERSION

if TYPE_CHECKING:
    from deepsel.cli.route.steps import Evaluation
    from deepsel.routing.evaluation import Reached


def table(shown: Evaluation) -> str:
    """Set the ways of choosing in columns, what each comes to, and what the score is worth."""
    heads = ("WAY", "QUALITY", "OF", "COST A PROMPT", "FIRST CHOICES")
    cells = [heads, *(_row(one) for one in (*shown.strategies, *shown.baselines))]
    lines = [f"{len(shown.rows)} prompts, prices of {shown.at:%Y-%m-%d %H:%M} UTC", "", text_table(cells, right=(1, 2, 3)), ""]
    if shown.task_accuracy:
        right, whole = shown.task_accuracy
        lines.append(f"task: {right} of {whole} detected as you name them ({right / whole:.2f})")
    lines.append(apgr_words(shown))
    return "\n".join(lines).rstrip() + "\n"


def apgr_words(shown: Evaluation) -> str:
    """Say what the difficulty score is worth on these prompts, or why that cannot be said."""
    if shown.pair is None:
        return "APGR: needs scores of two models on the same prompts, one of them dearer and better"
    weak, strong = shown.pair
    if shown.apgr is None:
        return f"APGR: {strong} is not better than {weak} on these prompts"
    return f"APGR of difficulty between {weak} and {strong}: {shown.apgr:.3f} (random 0.5)"


def _row(one: Reached) -> tuple[str, ...]:
    """Write one way of choosing."""
    models = ", ".join(f"{model} {count}" if count else model for model, count in list(one.models.items())[:3])
    more = f", {len(one.models) - 3} more" if len(one.models) > 3 else ""
    quality = "-" if one.quality is None else f"{one.quality:.3f}"
    return (one.name, quality, str(one.judged) if one.judged else "-", usd(one.cost_usd), models + more)


def record(shown: Evaluation) -> dict[str, Any]:
    """Build the record of `route eval --format json`."""
    accuracy = shown.task_accuracy
    pair = shown.pair
    return {
        "schema": SCHEMA_VERSION,
        "at": shown.at,
        "prompts": [
            {
                "prompt": row.prompt,
                "task": row.task,
                "named_task": row.named_task,
                "difficulty": round(row.difficulty, 4),
                "choices": dict(row.choices),
                "costs_usd": dict(row.costs),
                "scores": dict(row.scores),
            }
            for row in shown.rows
        ],
        "strategies": {one.name: _reached(one) for one in shown.strategies},
        "baselines": {one.name: _reached(one) for one in shown.baselines},
        "task_accuracy": {"right": accuracy[0], "of": accuracy[1]} if accuracy else None,
        "apgr": {"weak": pair[0], "strong": pair[1], "value": None if shown.apgr is None else round(shown.apgr, 4)} if pair else None,
    }


def _reached(one: Reached) -> dict[str, Any]:
    """Build one way of choosing."""
    quality = None if one.quality is None else round(one.quality, 4)
    return {"models": dict(one.models), "quality": quality, "judged": one.judged, "mean_cost_usd": one.cost_usd}
