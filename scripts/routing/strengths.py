"""Maps results of public tables onto the one scale of strengths, and writes them with their sources; keeps no fact itself.

    python scripts/routing/strengths.py          # rewrites `capability` in models.json, and catalog/data/strengths.json

`strengths.json` beside this file holds the facts as they were read. A rank becomes a strength by

    logit(strength) = TOP - STEEPNESS * x ** BEND        x: the share of the table's models that are ahead, at most LAST

so that the first is about TOP, the field falls off slowly after the leaders, and nobody falls below what a ranked model can do.
The error is half the distance between the strengths a quarter more and a quarter less of the rank would give. Results were
reached with thinking on, which deepsel switches off: TOP of reasoning, where that matters most, is set lower for it. A share of
summaries that are true to their text is taken as it stands, less what a true summary may lack. What no table has keeps deepsel's
own figure, which is shown as a guess.
"""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
DATA = HERE.parent.parent / "deepsel" / "catalog" / "data"
TOP = {"code": 3.81, "chat": 3.3, "reasoning": 2.19}
STEEPNESS = {"code": 10.0, "chat": 8.0, "reasoning": 8.0}
BEND = 0.7
LAST = 0.3
"""Of `x ** BEND`."""
BESIDES_TRUTH = 0.06
"""What a summary that is true to its text may lack all the same."""
OF_CARRIED = 0.05
"""What is added to the error of a figure carried over from another model."""


def strength(task: str, rank: float, of: int) -> float:
    """Return the strength of a rank."""
    behind = min(LAST, (max(0.5, rank - 0.5) / of) ** BEND)
    return 1 / (1 + math.exp(STEEPNESS[task] * behind - TOP[task]))


def of_ranks(table: dict[str, Any]) -> dict[str, dict[str, tuple[float, float]]]:
    """Return strength and error by model and task."""
    found: dict[str, dict[str, tuple[float, float]]] = {}
    for model, ranks in table["ranks"].items():
        for task, rank in ranks.items():
            of = table["of"][task]
            error = abs(strength(task, rank * 0.75, of) - strength(task, rank * 1.25, of)) / 2
            found.setdefault(model, {})[task] = (round(strength(task, rank, of), 3), max(0.005, round(error, 3)))
    return found


def of_percents(table: dict[str, Any]) -> dict[str, dict[str, tuple[float, float]]]:
    """Return strength and error by model and task; the table states no error, a point is assumed."""
    return {
        model: {task: (round(value / 100 - BESIDES_TRUTH, 3), 0.01) for task, value in tasks.items()}
        for model, tasks in table["percent"].items()
    }


def sourced(facts: dict[str, Any]) -> dict[str, dict[str, dict[str, Any]]]:
    """Return every figure with its source, by model and task."""
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for name, table in facts["tables"].items():
        for model, tasks in (of_ranks(table) if "ranks" in table else of_percents(table)).items():
            for task, (value, error) in tasks.items():
                row = {"value": value, "source": name, "as_of": table["as_of"], "mode": table["mode"], "error": error}
                found.setdefault(model, {})[task] = row
    for model, origin in facts["carried"].items():
        for task, row in found[origin].items():
            carried = {**row, "source": f"estimated from {origin}", "error": round(row["error"] + OF_CARRIED, 3)}
            found.setdefault(model, {}).setdefault(task, carried)
    return found


def main() -> None:
    """Write both files."""
    facts = json.loads((HERE / "strengths.json").read_text("utf-8"))
    found = sourced(facts)
    path = DATA / "models.json"
    text = path.read_text("utf-8")
    for model, tasks in found.items():
        at = re.search(rf'^    "{re.escape(model)}": \{{', text, re.MULTILINE)
        assert at is not None, model
        row = re.compile(r'"capability": (\{[^}]*\})').search(text, at.end())
        assert row is not None, model
        figures = json.loads(row.group(1)) | {task: one["value"] for task, one in tasks.items()}
        text = text[: row.start(1)] + json.dumps(figures) + text[row.end(1) :]
    path.write_text(text, "utf-8")
    tables = {name: table["source"] for name, table in facts["tables"].items()}
    about = "Where strengths come from; a figure of models.json that is not here is a guess. Made by scripts/routing/strengths.py."
    lines = ",\n".join(f"    {json.dumps(model)}: {json.dumps(tasks)}" for model, tasks in sorted(found.items()))
    head = f'{{\n  "about": {json.dumps(about)},\n  "sources": {json.dumps(tables, indent=2)},\n  "models": {{\n'
    (DATA / "strengths.json").write_text(f"{head}{lines}\n  }}\n}}\n", "utf-8")


if __name__ == "__main__":
    main()
