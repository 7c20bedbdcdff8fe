"""One question in an open session: the profile, the conversation it belongs to, the run, and what is kept of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from deepsel.cli.ask.answer import explain, show, shows_stream
from deepsel.cli.ask.request import ask_of, whom_to_ask
from deepsel.cli.checked import instant
from deepsel.cli.context import choose_profile
from deepsel.ending import shielded

if TYPE_CHECKING:
    from deepsel.cli.ask.command import AskOptions
    from deepsel.cli.ask.talk import Talk
    from deepsel.cli.options import Common
    from deepsel.engine.run import Run
    from deepsel.session.open import Session
    from deepsel.values import Request


def answered(
    session: Session,
    common: Common,
    options: AskOptions,
    request: Request,
    flags: dict[str, Any],
    talk: Talk | None = None,
) -> tuple[Run | None, str | None]:
    """Ask and show, in the conversation of a chat or of the options.

    Returns the run, None where only the plan was shown, and what a question by itself was kept as.
    Raises what stood in the way of a whole answer, after what came of it was shown and kept.
    """
    settings = session.settings
    talk = talk or _talk(session, options)
    profile = choose_profile(settings, common)
    profile = profile.override(**{**flags, **whom_to_ask(options, settings, profile, talk)})
    asked = ask_of(options, request, profile, talk)
    if options.explain:
        at = instant("--at", options.at) if options.at is not None else None
        explain(*session.explain(asked, at=at), options, common)
        return None, None
    run = session.ask(asked, is_shown=shows_stream(options))
    if talk is None:
        show(run, options, common)
        return run, _keep(session, options, run, asked.request)
    talk.begin(asked.request)
    try:
        show(run, options, common, talk)
    finally:
        with shielded():
            talk.end(run.answer())
    return run, None


def _talk(session: Session, options: AskOptions) -> Talk | None:
    """Open the conversation that was asked for; None where none was."""
    if not (options.goes_on or options.conversation):
        return None
    from deepsel.cli.ask.talk import talk_of

    return talk_of(session, goes_on=options.goes_on, name=options.conversation)


def _keep(session: Session, options: AskOptions, run: Run, request: Request) -> str | None:
    """Keep a question by itself for a while, so that `-c` can go on from it; return what it is called, None where nothing is kept.

    Nothing is where conversations are off, where the cache may not use the disk, and under `--no-cache`.
    """
    settings = session.settings
    if not settings.conversations.keep_s or not settings.cache.disk or options.cache is False or options.only_cached:
        return None
    from deepsel.cli.ask.kept import keep_alone

    return keep_alone(session, run.answer(), request)
