"""What was typed, with the command it means: a bare question is `ask`, whatever stands before it. Imports nothing that takes time."""

from __future__ import annotations

NAMES = frozenset(
    {
        *("ask", "batch", "bench", "cache", "chat", "config", "conversations", "estimate", "help", "init", "models"),
        *("route", "serve", "simulate", "stats", "templates", "warm"),
    }
)
"""Every command; the suite holds it against the table of commands, which takes long to import."""
_TAKES_A_VALUE = frozenset({"--config", "--profile", "-p"})
_TAKES_NONE = frozenset({"--quiet", "-q", "--verbose", "-v", "-qv", "-vq"})
_EXTRACT = frozenset({"-x", "--extract"})
_LANGUAGES = frozenset(
    {
        *("bash", "c", "c++", "cpp", "css", "csv", "diff", "dockerfile", "go", "html", "ini", "java", "javascript", "js"),
        *("json", "jsonc", "kotlin", "lua", "makefile", "markdown", "md", "patch", "perl", "php", "powershell", "py", "python"),
        *("r", "rb", "rs", "ruby", "rust", "scala", "sh", "shell", "sql", "swift", "toml", "ts", "typescript", "xml", "yaml"),
        *("yml", "zsh"),
    }
)
_OF_THE_PROGRAM = frozenset({"--help", "-h", "--version", "-V", "--install-completion", "--show-completion"})


def with_command(arguments: list[str]) -> list[str]:
    """Return the arguments with `ask` set before a question, or before an option of `ask`; others as they are.

    A first word that is nearly a command is taken for a slip, unless it has a blank, which no command has.
    """
    at = _first_of_its_own(arguments)
    if at < len(arguments) and arguments[at] == "ask":
        return _with_language(arguments)
    if at == len(arguments) or arguments[at] in NAMES or arguments[at] in _OF_THE_PROGRAM:
        return arguments
    word = arguments[at]
    is_question = word.startswith("-") or not word.strip() or len(word.split()) > 1 or not _is_slip(word)
    return _with_language([*arguments[:at], "ask", *arguments[at:]]) if is_question else arguments


def _with_language(arguments: list[str]) -> list[str]:
    """Write `-x`, and the language behind it where one is named, as one argument: what else follows is the question's."""
    found: list[str] = []
    for at, word in enumerate(arguments):
        if word == "--":
            return [*found, *arguments[at:]]
        if at and arguments[at - 1] in _EXTRACT and word.lower() in _LANGUAGES:
            found[-1] += word
        else:
            found.append("--extract=" if word in _EXTRACT else word)
    return found


def _first_of_its_own(arguments: list[str]) -> int:
    """Find the first argument that no shared option takes; their number where there is none."""
    at = 0
    while at < len(arguments):
        word = arguments[at]
        if word in _TAKES_A_VALUE:
            at += 2
        elif word in _TAKES_NONE or word.startswith(("--config=", "--profile=")):
            at += 1
        else:
            break
    return min(at, len(arguments))


def _is_slip(word: str) -> bool:
    """Tell whether a word is nearly a command."""
    from difflib import get_close_matches

    return bool(get_close_matches(word.lower(), NAMES, n=1, cutoff=0.6))
