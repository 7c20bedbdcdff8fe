"""Options of a request that more than one command takes: what is asked for one question, and for each line of a batch."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from deepsel.values import STRATEGIES, TASKS

Task = Annotated[str | None, typer.Option("--task", metavar="TASK", help=f"One of {', '.join(TASKS)}; detected otherwise.")]
Strategy = Annotated[str | None, typer.Option("--strategy", metavar="NAME", help=f"One of {', '.join(STRATEGIES)}.")]
Tools = Annotated[Path | None, typer.Option("--tools", metavar="PATH", help="A JSON list of tools the model may call.")]
UseCache = Annotated[
    bool | None,
    typer.Option("--cache/--no-cache", help="Use the cache for any request, or for none.", show_default=False),
]
