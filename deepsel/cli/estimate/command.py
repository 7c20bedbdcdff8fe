"""`deepsel estimate`: the options, and the steps from them to a report and its verdict."""

from __future__ import annotations

from typing import Annotated

import typer

from deepsel.cli.options import Common, Form, Help, MaxCost, Models, Output
from deepsel.estimate.exports.formats import FORMATS
from deepsel.records import NamedTuple


class EstimateOptions(NamedTuple):
    """What `deepsel estimate` takes."""

    paths: Annotated[
        list[str] | None,
        typer.Argument(metavar="PATH...", help="Files, folders, patterns; `-` is standard input.", show_default=False),
    ] = None
    models: Models = None
    output_tokens: Annotated[
        int | None, typer.Option("--output-tokens", metavar="N", help="Add answers of N tokens a request.")
    ] = None
    output_ratio: Annotated[
        str | None, typer.Option("--output-ratio", metavar="X", help="Add X output tokens for each input token.")
    ] = None
    output_history: Annotated[
        str | None,
        typer.Option(
            "--output-history", metavar="TASK", help="As many a request as your own answers of this task usually have."
        ),
    ] = None
    requests: Annotated[int, typer.Option("--requests", metavar="N", help="How often each input is sent.")] = 1
    per: Annotated[
        str | None, typer.Option("--per", metavar="day|month", help="Take --requests as a rate; costs are for that time.")
    ] = None
    cached_share: Annotated[
        str | None, typer.Option("--cached-share", metavar="0..1", help="Share of the input at the cached price.")
    ] = None
    by: Annotated[str, typer.Option("--by", metavar="GROUP", help="model, file or language.")] = "model"
    at: Annotated[
        str | None, typer.Option("--at", metavar="TIME", help="Use prices in force at TIME (ISO 8601, default UTC) [default: now].")
    ] = None
    sample: Annotated[bool, typer.Option("--sample", help="Read a part of much text; say how sure that is.")] = False
    exact: Annotated[
        bool, typer.Option("--exact", help="Ask Anthropic's count endpoint about the models of -m; sends the text.")
    ] = False
    staged: Annotated[bool, typer.Option("--staged", help="Compare what is staged in git with HEAD.")] = False
    diff: Annotated[
        str | None, typer.Option("--diff", metavar="REV", help="Compare the files with this revision, or a range A...B.")
    ] = None
    max_cost: Annotated[MaxCost, Help("Exit 9 above this cost.")] = None
    max_increase: Annotated[
        str | None,
        typer.Option(
            "--max-increase", metavar="USD|PCT%", help="Fail (exit 9) if any file's cost grows by more than this."
        ),
    ] = None
    fail_on_stale: Annotated[
        str | None, typer.Option("--fail-on-stale", metavar="AGE", help="Exit 9 where prices are older, e.g. 30d.")
    ] = None
    form: Annotated[Form, Help(f"{', '.join(FORMATS)}.")] = "table"
    output: Output = None

    @property
    def is_change(self) -> bool:
        """Whether two versions are compared."""
        return self.staged or self.diff is not None


def estimate(common: Common, options: EstimateOptions) -> None:
    """Estimate what text will cost on each model.

    Tokens are counted offline with each provider's own vocabulary. Nothing is sent unless --exact asks for it.
    """
    from deepsel.cli.estimate import steps
    from deepsel.cli.terminal.output import deliver, screen_for
    from deepsel.estimate.exports.formats import write

    steps.check(options)
    limits = steps.limits_of(options)
    basis = steps.basis_of(options, common)
    built = steps.report_of(options, common, basis)
    deliver(write(built, options.form, screen_for(options.output)), options.output)
    if not common.quiet:
        steps.tell_notices(built)
    steps.conclude(built, limits, options, basis)
