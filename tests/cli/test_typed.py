"""A bare question is `ask`; a slip of a command is not, and each word for help or version works."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepsel.cli.commands import Commands
from deepsel.cli.typed import NAMES, with_command


def test_every_command_is_known_by_name() -> None:
    """No command can be taken for a question."""
    assert set(Commands.table) <= NAMES


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        (["What is DNS?"], ["ask", "What is DNS?"]),
        (["什么是DNS"], ["ask", "什么是DNS"]),
        (["why", "is", "the", "sky", "blue"], ["ask", "why", "is", "the", "sky", "blue"]),
        (["-p", "demo", "What is DNS?"], ["-p", "demo", "ask", "What is DNS?"]),
        (["--profile=demo", "-q", "-m", "haiku", "Hi"], ["--profile=demo", "-q", "ask", "-m", "haiku", "Hi"]),
        (["-c", "and then?"], ["ask", "-c", "and then?"]),
        (["-"], ["ask", "-"]),
        (["stats"], ["stats"]),
        (["-q", "cache", "stats"], ["-q", "cache", "stats"]),
        (["stauts"], ["stauts"]),
        (["--help"], ["--help"]),
        (["-V"], ["-V"]),
        (["-p", "demo"], ["-p", "demo"]),
        (["-p"], ["-p"]),
        ([], []),
    ],
)
def test_what_is_typed_is_what_is_meant(typed: list[str], meant: list[str]) -> None:
    """Shared options may stand before the question, options of `ask` too; what is nearly a command stays."""
    assert with_command(typed) == meant


@given(st.lists(st.text(max_size=8) | st.sampled_from(sorted(NAMES)), max_size=5))
def test_nothing_is_lost_and_nothing_is_added_twice(arguments: list[str]) -> None:
    """Whatever is typed, at most the one word is added, and once it is there nothing more is."""
    meant = with_command(arguments)
    assert meant == arguments or (len(meant) == len(arguments) + 1 and "ask" in meant)
    assert with_command(meant) == meant


def test_a_bare_question_is_answered_and_replayed(deepsel: Callable[..., Any]) -> None:
    """The question alone is `ask`, the second time from what was kept of the first."""
    first, second = (deepsel("-p", "demo", "What is DNS?") for _ in range(2))
    assert (first.code, first.out) == (0, second.out)
    assert "simulated" in first.out
    assert "from the cache" in second.err


def test_a_failed_bare_question_has_the_record_of_ask(deepsel: Callable[..., Any]) -> None:
    """`--json` gives the record of `ask`, whoever was asked."""
    record = deepsel("--json", "--temperature", "9", "Hi there").record()
    assert record["error"]["class"] == "usage"
    assert "attempts" in record


def test_a_slip_of_a_command_is_told(deepsel: Callable[..., Any]) -> None:
    """What is nearly a command costs nothing."""
    ran = deepsel("stauts")
    assert ran.code == 2
    assert "did you mean 'stats'?" in ran.err


def test_help_by_the_command_s_words(deepsel: Callable[..., Any]) -> None:
    """`deepsel help X` is `deepsel X --help`, for groups and their commands too; an unknown word is exit 2."""
    for words in ((), ("ask",), ("cache",), ("cache", "stats"), ("help",)):
        assert deepsel("help", *words).out == deepsel(*words, "--help").out
    ran = deepsel("help", "cache", "stat")
    assert ran.code == 2
    assert "`stats`" in ran.err


def test_the_version_in_short(deepsel: Callable[..., Any]) -> None:
    """`-V` is `--version`, alone and behind other options."""
    assert deepsel("-V").out == deepsel("--version").out == deepsel("-q", "-V").out


def test_a_question_without_quotes_is_told_what_to_type(deepsel: Callable[..., Any]) -> None:
    """A first word that is nearly a command is not asked for money; what looks like a question gets the line to type."""
    ran = deepsel("what", "is", "dns")
    assert ran.code == 2
    assert "A question goes in quotes" in ran.err
    assert "quotes" not in deepsel("modles").err
