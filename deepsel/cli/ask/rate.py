"""`ask --rate`: what the last answer was worth, kept for `route eval --learn`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deepsel.cli.checked import one_of, refuse
from deepsel.cli.context import load_settings, open_session
from deepsel.cli.terminal.terminal import write_note
from deepsel.errors import UsageError
from deepsel.health.ratings import Rating
from deepsel.health.ratings import rate as keep

if TYPE_CHECKING:
    from deepsel.cli.ask.command import AskOptions
    from deepsel.cli.options import Common

WORDS = ("good", "bad")
_LOOKED_BACK_S = 7 * 86_400.0


def rate(options: AskOptions, common: Common) -> None:
    """Mark the last answer that came from a model; raises UsageError where there is none."""
    word = one_of("--rate", options.rate or "", WORDS)
    refuse(bool(options.prompt or options.files or options.messages), "`--rate` asks nothing", "leave the prompt out")
    with open_session(common, load_settings(common)) as session:
        rows, _ = session.state.since(session.clock.now().timestamp() - _LOOKED_BACK_S)
        answers = [row for row in rows or () if row.outcome in ("ok", "hit") and row.task and row.task != "warm"]
        if not answers:
            raise UsageError("there is no answer to rate in the last 7 days", "ask something first")
        last = max(answers, key=lambda row: row.at)
        keep(session.paths.data_dir, Rating(last.at, last.model, last.task, word == "good"))
    if not common.quiet:
        write_note(f"{last.model}, {last.task}: {word}; `deepsel route eval FILE --learn` uses it")
