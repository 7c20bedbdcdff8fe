"""`ask --compare`: the same question to several models at once, and their answers together."""

from __future__ import annotations

import sys
from contextlib import closing
from typing import TYPE_CHECKING, Any

from deepsel.cli.ask import records
from deepsel.cli.ask.request import ask_of, whom_to_ask
from deepsel.cli.context import choose_profile
from deepsel.cli.terminal.output import deliver, screen_for
from deepsel.cli.terminal.terminal import is_terminal
from deepsel.errors import DeepselError
from deepsel.records import NamedTuple
from deepsel.show.durations import seconds
from deepsel.show.lines import padded
from deepsel.show.money import usd
from deepsel.show.plain import plain
from deepsel.show.record import SCHEMA_VERSION, dump

if TYPE_CHECKING:
    from deepsel.cli.ask.command import AskOptions
    from deepsel.cli.options import Common
    from deepsel.engine.ask import Ask
    from deepsel.session.open import Session
    from deepsel.values import Answer, Request

_LEAST_COLUMNS = 50
"""What an answer needs to stand beside another one."""
_BETWEEN = "   "


class Compared(NamedTuple):
    """What one model came to."""

    answer: Answer
    failure: DeepselError | None


def compare(session: Session, common: Common, options: AskOptions, request: Request, flags: dict[str, Any]) -> None:
    """Ask each model of `-m`, all at once, and show every answer; raises the first failure once all have been shown."""
    from concurrent.futures import ThreadPoolExecutor

    profile = choose_profile(session.settings, common)
    names = whom_to_ask(options, session.settings, profile)["models"]
    profile = profile.override(**{**flags, "models": names, "strategy": "ordered", "tasks": {}})
    asked = ask_of(options, request, profile)
    each = [asked._replace(profile=profile.override(models=(name,), larger_context=())) for name in names]
    with ThreadPoolExecutor(len(each)) as pool:
        found = list(pool.map(lambda one: _asked(session, one), each))
    deliver(_record(found, options) if options.as_json else _text(found, options), options.output)
    failure = next((one.failure for one in found if one.failure is not None), None)
    if failure is not None:
        failure.is_recorded = options.as_json
        raise failure


def _asked(session: Session, ask: Ask) -> Compared:
    """Ask one model to the end."""
    run = session.ask(ask)
    try:
        with closing(run.events()) as events:
            for _ in events:
                pass
    except DeepselError as error:
        return Compared(run.answer(), error)
    return Compared(run.answer(), run.failure())


def _record(found: list[Compared], options: AskOptions) -> str:
    """Build the list of records."""
    has_schema = options.schema is not None
    rows = [records.answer_record(one.answer, one.failure, has_schema=has_schema) for one in found]
    return dump({"schema": SCHEMA_VERSION, "answers": rows})


def _text(found: list[Compared], options: AskOptions) -> str:
    """Set the answers side by side where a terminal is wide enough, else one after the other."""
    screen = screen_for(options.output)
    width = (screen.columns - len(_BETWEEN) * (len(found) - 1)) // len(found)
    if len(found) > 1 and width >= _LEAST_COLUMNS and options.output is None and is_terminal(sys.stdout):
        return _beside(found, width)
    return "\n".join(f"== {_head(one)}\n{_words(one)}\n" for one in found)


def _beside(found: list[Compared], width: int) -> str:
    """Write the answers as columns."""
    columns = [[*_folded(_head(one), width), "-" * width, *_folded(_words(one), width)] for one in found]
    height = max(map(len, columns))
    rows = zip(*(column + [""] * (height - len(column)) for column in columns), strict=True)
    return "".join(_BETWEEN.join(padded(cell, width) for cell in row).rstrip() + "\n" for row in rows)


def _folded(text: str, width: int) -> list[str]:
    """Break lines at the width of a column; every character stays."""
    from deepsel.cli.drawing.cells import Span, fold

    lines = ([Span(line.expandtabs(4), "")] for line in text.splitlines())
    return ["".join(span.text for span in row) for line in lines for row in fold(line, width, width)]


def _head(one: Compared) -> str:
    """Say who answered, at what cost, in which time, at what length."""
    answer = one.answer
    words = len(answer.text.split())
    return " · ".join([answer.model, usd(answer.cost_usd), seconds(answer.total_s), f"{words:,} word{'s' if words != 1 else ''}"])


def _words(one: Compared) -> str:
    """Return the answer, and what is wrong with it."""
    failed = f"({one.failure.message})" if one.failure is not None else ""
    return plain("\n".join(filter(None, [one.answer.text.rstrip("\n"), failed])))
