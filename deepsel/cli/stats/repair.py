"""`deepsel stats --repair`: what was wrong with the log, and what was saved of it."""

from __future__ import annotations

import os

from deepsel import config
from deepsel.cli.options import Common
from deepsel.cli.terminal.output import write_stdout
from deepsel.cli.terminal.terminal import write_note
from deepsel.clock import SystemClock
from deepsel.errors import CheckFailedError
from deepsel.health import upkeep
from deepsel.show.plain import plain
from deepsel.show.record import SCHEMA_VERSION, dump


def repair(common: Common, *, as_json: bool) -> None:
    """Check the log and put it right; raises CheckFailedError where something was wrong, also where it was repaired."""
    folder = config.find_paths(os.environ, common.config).data_dir
    verdict = upkeep.verify(folder, repairs=True, at=SystemClock().now())
    kept_as = None if verdict.kept_as is None else str(verdict.kept_as)
    if as_json:
        record = {"problems": list(verdict.problems), "saved": verdict.saved, "kept_as": kept_as}
        write_stdout(dump({"schema": SCHEMA_VERSION, **record}))
    else:
        write_stdout("".join(f"{plain(problem)}\n" for problem in verdict.problems))
    if not verdict.problems:
        if not common.quiet and not as_json:
            write_note("the log is whole")
        return
    plural = "" if len(verdict.problems) == 1 else "s"
    raise CheckFailedError(
        f"the log had {len(verdict.problems)} problem{plural}, repaired: {verdict.saved:,} rows were saved",
        f"what it was is kept as `{kept_as}`; remove it where nobody needs it",
    )
