"""`deepsel simulate`: the loopback server that speaks the wires and can misbehave, for rehearsals."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deepsel.cli.options import Common
from deepsel.cli.terminal.output import write_stdout
from deepsel.cli.terminal.terminal import write_note
from deepsel.errors import UsageError
from deepsel.records import NamedTuple

if TYPE_CHECKING:
    from deepsel.simulator import Scenario, Simulator


class SimulateOptions(NamedTuple):
    """What `deepsel simulate` takes."""

    port: Annotated[int, typer.Option("--port", metavar="N", min=0, max=65535, help="0 takes a free one.")] = 8399
    scenario: Annotated[
        str, typer.Option("--scenario", metavar="NAME|PATH", help="A built-in scenario, a fault, or a file.")
    ] = "default"
    listing: Annotated[bool, typer.Option("--list", help="List the built-in scenarios and faults.")] = False


def simulate(common: Common, options: SimulateOptions) -> None:
    """Run the simulated provider.

    Serves both wires on 127.0.0.1 until Ctrl-C; answers are made up and say so. Scenarios misbehave in known ways.
    """
    from deepsel import simulator

    if options.listing:
        write_stdout(_catalogue())
        return

    def announce(running: Simulator) -> None:
        if not common.quiet:
            urls = running.base_urls
            width = max(map(len, urls))
            lines = [f"{wire.ljust(width)}  base_url = {url}" for wire, url in urls.items()]
            write_note("\n".join([f"simulating `{options.scenario}`; Ctrl-C ends it", *lines]))

    simulator.run("127.0.0.1", options.port, scenario=_find(options.scenario), on_ready=announce)


def _find(name: str) -> Scenario:
    """Find a scenario by name, a fault by name, or a file by path."""
    from deepsel import simulator
    from deepsel.config import nearest_hint
    from deepsel.simulator.scenario_file import load_scenario

    if name in simulator.BUILT_IN or name in simulator.FAULTS or _is_there(name):
        return load_scenario(name)
    known = [*simulator.BUILT_IN, *simulator.FAULTS]
    raise UsageError(f"there is no scenario `{name}` and no such file", nearest_hint(name, known) or "see `--list`")


def _is_there(name: str) -> bool:
    """Tell whether a name is a path to something; what is too long to be one is none."""
    try:
        Path(name).lstat()
    except (OSError, ValueError):
        return False
    return True


def _catalogue() -> str:
    """List every name `--scenario` knows, with what it does."""
    from deepsel import simulator

    width = max(map(len, [*simulator.BUILT_IN, *simulator.FAULTS]))
    lines = ["scenarios"]
    lines += [f"  {name.ljust(width)}  {row.description}" for name, row in simulator.BUILT_IN.items()]
    lines += ["", "faults, each a scenario of its own"]
    lines += [f"  {name.ljust(width)}  {row.description}" for name, row in simulator.FAULTS.items()]
    return "\n".join(lines) + "\n"
