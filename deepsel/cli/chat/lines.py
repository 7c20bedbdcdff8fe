"""Where the lines of a chat come from: an editor on a terminal, else standard input; the only importer of prompt_toolkit."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from deepsel.cli.terminal.output import write_piped
from deepsel.cli.terminal.terminal import is_terminal, write_note

PROMPT = "> "


def lines(history: Path, commands: Iterable[str]) -> Iterator[str]:
    """Yield what is typed until the end: with an editor, several lines where they were pasted, or each line of what is piped."""
    if is_terminal(sys.stdin) and is_terminal(sys.stdout) and os.environ.get("TERM") != "dumb":
        yield from _edited(history, commands)
    elif is_terminal(sys.stdin):
        yield from iter(_plain, None)
    else:
        yield from (line.rstrip("\n") for line in sys.stdin)


def _plain() -> str | None:
    """Read a line from a terminal that cannot be edited on; None at its end."""
    write_piped(PROMPT)
    line = sys.stdin.readline()
    return line.rstrip("\n") if line else None


def _edited(history: Path, commands: Iterable[str]) -> Iterator[str]:
    """Read with history, search and completion; Alt-Enter begins a line, Ctrl-C empties what is typed, Ctrl-D ends."""
    from prompt_toolkit import PromptSession
    from prompt_toolkit.completion import WordCompleter
    from prompt_toolkit.history import FileHistory, InMemoryHistory
    from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent

    keys = KeyBindings()

    @keys.add("escape", "enter")
    def _(event: KeyPressEvent) -> None:
        event.current_buffer.insert_text("\n")

    kept = FileHistory(str(history)) if _is_private(history) else InMemoryHistory()
    session: PromptSession[str] = PromptSession(
        PROMPT,
        history=kept,
        key_bindings=keys,
        completer=WordCompleter(list(commands), sentence=True),
        complete_while_typing=False,
        prompt_continuation="  ",
    )
    while True:
        try:
            yield session.prompt()
        except KeyboardInterrupt:
            write_note("(Ctrl-D or /quit ends)")
        except EOFError:
            return


def _is_private(path: Path) -> bool:
    """Make the file of what was typed, for its owner alone; false where that cannot be."""
    from deepsel.storage import files
    from deepsel.storage.owners import fault

    try:
        files.make_private_folder(path.parent)
        if not path.exists():
            files.create_private(path)
    except OSError:
        return False
    return fault(path) is None
