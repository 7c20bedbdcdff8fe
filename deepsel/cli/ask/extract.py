"""`ask --extract`: the code of an answer without the words around it."""

from __future__ import annotations

from deepsel.cli.terminal.terminal import write_error, write_note
from deepsel.errors import CheckFailedError
from deepsel.jsontext import is_json
from deepsel.show.fences import last_block
from deepsel.show.plain import plain


def extracted(text: str, language: str) -> str:
    """Return the last block of code, in a language where one is named.

    An answer without any block is the code, with a warning; raises CheckFailedError where a language was named and there is no
    block in it, after the answer, which was paid for, was written to standard error.
    """
    block = last_block(text, language)
    if block is not None:
        return block
    if not language:
        write_note("warning: the answer has no block of code; this is all of it")
        return text
    if language == "json" and is_json(text):
        return text
    write_error(plain(text).rstrip("\n") + "\n")
    raise CheckFailedError(f"the answer has no block of {language}", "the answer stands above; `-x` alone takes the last block of any kind")


