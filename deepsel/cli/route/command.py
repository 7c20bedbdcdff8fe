"""`deepsel route eval`: the options, and the steps from a file of prompts to what routing them is worth."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from deepsel.cli.options import Common, Form, Help, Models, Output
from deepsel.records import NamedTuple

FORMATS = ("table", "json", "html")


class RouteEvalOptions(NamedTuple):
    """What `deepsel route eval` takes."""

    path: Annotated[
        Path, typer.Argument(metavar="FILE", help='JSON lines: {"prompt", "task"?, "scores": {MODEL: 0..1}?}; `-` is stdin.')
    ]
    models: Annotated[Models, Help("Only these candidates. Repeatable.")] = None
    pair: Annotated[
        str | None, typer.Option("--pair", metavar="WEAK,STRONG", help="The models of the APGR; the cheapest and the best.")
    ] = None
    at: Annotated[
        str | None, typer.Option("--at", metavar="TIME", help="Prices of this time (ISO 8601, UTC unless it says); now.")
    ] = None
    learn: Annotated[
        bool, typer.Option("--learn", help="Write the strengths these scores and your ratings show into profiles.toml.")
    ] = False
    form: Annotated[Form, Help(f"One of {', '.join(FORMATS)}.")] = "table"
    output: Output = None


def evaluate(common: Common, options: RouteEvalOptions) -> None:
    """Tell what routing your prompts is worth.

    Which model each prompt gets under each strategy, what that costs, and, where answers were scored, the quality reached against
    always the best model, always the cheapest, and any at random. Sends nothing and needs no key.
    """
    from deepsel.cli.checked import one_of
    from deepsel.cli.route.steps import carry_out

    one_of("--format", options.form, FORMATS)
    carry_out(common, options)
