"""`deepsel warm`: keeps models warm, says what that costs before it starts, and shows how long each call waited."""

from __future__ import annotations

import os
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated

import typer

from deepsel.cli.checked import money, parse_duration
from deepsel.cli.context import choose_profile, load_settings, one_of_home, open_session
from deepsel.cli.options import Common, Help, MaxCost, Models
from deepsel.cli.terminal.output import write_stdout
from deepsel.cli.terminal.terminal import write_note
from deepsel.errors import OverBudgetError, UsageError
from deepsel.records import NamedTuple
from deepsel.show.durations import duration_text, seconds
from deepsel.show.money import usd

if TYPE_CHECKING:
    from deepsel.session.warm import Ping, Warmer


class WarmOptions(NamedTuple):
    """What `deepsel warm` takes."""

    models: Models = None
    every: Annotated[str, typer.Option("--every", metavar="TIME", help="How long a model may be idle.")] = "60s"
    for_: Annotated[
        str | None, typer.Option("--for", metavar="TIME", help="Stop after so long; Ctrl-C stops at any time.")
    ] = None
    max_cost: Annotated[MaxCost, Help("Stop before more than that is spent.")] = None


def warm(common: Common, options: WarmOptions) -> None:
    """Keep models warm with one-token requests.

    Calls a model only while nothing else of yours has called it; one line for each call goes to stdout.
    """
    from deepsel.session.warm import Warmer, with_keys

    every_s, for_s = parse_duration(options.every), parse_duration(options.for_) if options.for_ else None
    if every_s < 1:
        raise UsageError(f"`--every` takes at least one second, not `{options.every}`")
    cap_usd = money("--max-cost", options.max_cost)
    settings = load_settings(common)
    profile = choose_profile(settings, common)
    models = tuple(options.models) if options.models else with_keys(profile, settings, os.environ)
    with open_session(common, settings) as session:
        warmer = Warmer(models, every_s, profile, session.resources)
        if not common.quiet:
            for line in _announced(warmer).splitlines():
                write_note(line)
        pings = _keep_warm(warmer, for_s, cap_usd)
        for notice in one_of_home(warmer.notices[:1], settings):
            write_note(f"warning: {notice.message}")
        if not common.quiet:
            write_note(_summary(pings, warmer))


def _announced(warmer: Warmer) -> str:
    """Say what will be done, what it costs, and what will not be done."""
    hourly_usd = warmer.hourly_usd()
    cost = "an unknown amount per hour" if hourly_usd is None else f"at most {usd(hourly_usd)} per hour"
    cost = "simulated, nothing is paid" if warmer.is_simulated else cost
    warmed = [name for name in warmer.models if name not in warmer.not_warmed]
    doing = f"keeping {', '.join(warmed)} warm" if warmed else "touching health paths"
    told = f"{doing} every {duration_text(warmer.every_s)}: {cost}; Ctrl-C ends it"
    if not warmer.not_warmed:
        return told
    names = ", ".join(warmer.not_warmed)
    return f"{told}\nnot warmed: {names}; the provider's health_path runs no model and only tells whether it is reachable"


def _keep_warm(warmer: Warmer, for_s: float | None, cap_usd: Decimal | None) -> list[Ping]:
    """Write a line for each call until the time, the money or the user's patience is over."""
    pings: list[Ping] = []
    try:
        for ping in warmer.run(for_s=for_s, max_cost_usd=cap_usd):
            pings.append(ping)
            write_stdout(_line(ping))
    except KeyboardInterrupt:
        pass  # how this ends
    except OverBudgetError as error:
        if not pings:
            raise
        write_note(f"stopped: {error.message}")
    return pings


def _line(ping: Ping) -> str:
    """Write one call."""
    if ping.failure:
        return f"{ping.model}  failed: {ping.failure}\n"
    what = "first byte" if ping.kind == "reachable" else "first token"
    return f"{ping.model}  {ping.kind}  {what} {seconds(ping.ttft_s)}  {usd(ping.cost_usd)}\n"


def _summary(pings: list[Ping], warmer: Warmer) -> str:
    """Say what it took, and what being warm is worth."""
    from deepsel.health.percentiles import median

    lines = [f"{len(pings)} call{'' if len(pings) == 1 else 's'}, {usd(warmer.spent_usd)}"]
    for name in dict.fromkeys(ping.model for ping in pings):
        waits = {
            kind: median(ping.ttft_s for ping in pings if (ping.model, ping.kind) == (name, kind) and ping.ttft_s is not None)
            for kind in ("cold", "warm", "reachable")
        }
        told = [f"{kind} {seconds(wait_s)}" for kind, wait_s in waits.items() if wait_s is not None]
        lines.append(f"{name}: {', '.join(told) or 'no answer'}")
    return "\n".join(lines)
