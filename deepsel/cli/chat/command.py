"""`deepsel chat`: the options, and the loop from a line to its answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from deepsel.cli.options import Common, GoesOn, Help, MaxCost, Models, System
from deepsel.errors import DeepselError
from deepsel.records import NamedTuple

if TYPE_CHECKING:
    from deepsel.cli.ask.command import AskOptions
    from deepsel.cli.ask.talk import Talk
    from deepsel.session.open import Session

COMMANDS = ("/model", "/cost", "/help", "/quit")
_HELP = """\
/model NAME  ask this one from now on; without a name: say which
/cost        what the conversation has cost
/quit        end, as Ctrl-D does
Alt-Enter begins another line; what is pasted may have many."""


class ChatOptions(NamedTuple):
    """What `deepsel chat` takes."""

    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="Kept under this name until deleted.", show_default=False)
    ] = None
    models: Annotated[Models, Help("Choose among these models only (repeatable).")] = None
    system: System = None
    goes_on: GoesOn = False
    max_cost: Annotated[MaxCost, Help("Send nothing that could cost more, turn by turn.")] = None


def chat(common: Common, options: ChatOptions) -> None:
    """Talk with a model, turn by turn.

    A conversation without a name is kept as `ask -c` keeps one. /help lists what can be typed besides questions.
    """
    from deepsel.cli.context import open_session

    with open_session(common) as session:
        _Chat(session, common, options).run()


class _Chat:
    """One conversation, and what is set for its next turn."""

    def __init__(self, session: Session, common: Common, options: ChatOptions) -> None:
        """Open the conversation; raises UsageError or ConfigError where that cannot be."""
        from deepsel.cli.ask.talk import new_talk, talk_of

        self._session, self._common, self._options = session, common, options
        is_old = options.goes_on or options.name is not None
        self._talk: Talk = talk_of(session, goes_on=options.goes_on, name=options.name) if is_old else new_talk(session)
        self._models = options.models
        self._system = options.system

    def run(self) -> None:
        """Ask line by line; what goes wrong with one is told, and the next one may be typed."""
        from deepsel.cli.chat.lines import lines
        from deepsel.cli.terminal.terminal import write_note

        if not self._common.quiet:
            before = f"goes on after {len(self._talk.found.turns)} turns; " if self._talk.found else ""
            write_note(f"{before}/help lists what can be typed besides questions, Ctrl-D ends")
        for line in lines(self._session.paths.data_dir / "chat_history", COMMANDS):
            if line.strip() == "/quit":
                return
            if line.strip().startswith("/"):
                self._obey(line.strip())
            elif line.strip():
                self._ask(line)

    def _obey(self, line: str) -> None:
        """Carry out one of the commands."""
        from deepsel.cli.ask.talk import total_text
        from deepsel.cli.terminal.terminal import write_note

        word, _, rest = line.partition(" ")
        if word == "/cost":
            write_note(total_text(self._talk.found))
        elif word == "/model" and rest.strip():
            self._set_model(rest.strip())
        elif word == "/model":
            write_note(", ".join(self._models or []) or self._talk.model or "whoever the profile prefers")
        else:
            write_note(_HELP)

    def _set_model(self, name: str) -> None:
        from deepsel import config
        from deepsel.cli.terminal.terminal import write_note

        try:
            found = config.models_called(self._session.settings, [name], at=self._session.clock.now())
        except DeepselError as error:
            write_note(f"{error.message}{'; ' + error.hint if error.hint else ''}")
        else:
            self._models = list(found)
            write_note(", ".join(found))

    def _ask(self, line: str) -> None:
        """Ask one question; an interrupted answer is kept as far as it came."""
        from deepsel.cli.ask.answering import answered
        from deepsel.cli.ask.request import read_request
        from deepsel.cli.terminal.terminal import tell_error

        options = self._ask_options(line)
        try:
            answered(self._session, self._common, options, *read_request(options), talk=self._talk)
        except DeepselError as error:
            tell_error(error)
        else:
            self._system = None  # it is part of the conversation now
        self._talk.reread()

    def _ask_options(self, line: str) -> AskOptions:
        from deepsel.cli.ask.command import AskOptions

        return AskOptions(
            prompt=[line], models=self._models, system=self._system, max_cost=self._options.max_cost, no_stdin=True
        )
