"""Text that comes in pieces or in snapshots of all that has come."""

from __future__ import annotations

from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepsel.wires.growing import GrowingText


def grown(deltas: list[str], *, is_last: bool = False) -> tuple[str, bool]:
    """What is said in the end, and whether that is doubted."""
    text = GrowingText()
    said = "".join(map(text.add, deltas)) + text.end(is_last=is_last)
    assert said == text.text
    assert text.size == len(said)
    return said, text.is_doubted


WORDS = st.lists(st.text("abc -", min_size=1, max_size=4), min_size=1, max_size=12)


@given(WORDS)
def test_pieces_are_never_lost_unseen(pieces: list[str]) -> None:
    """The text of a stream of pieces is their sum, but where they could be snapshots: then it is one of them, and doubted.

    A model that says the same 16 characters twice over, and nothing else, is not told from a server that repeats itself.
    """
    said, is_doubted = grown(pieces)
    snapshots = list(accumulate(pieces)) == pieces
    assert said == "".join(pieces) or is_doubted or snapshots or any(len(one) >= 8 for one in pieces) or _grows(pieces)


def _grows(pieces: list[str]) -> bool:
    return any(pieces[at].startswith("".join(pieces[:at])) for at in range(2, len(pieces)))


@given(st.lists(st.text("abcdef -", min_size=4, max_size=9), min_size=3, max_size=12))
def test_snapshots_say_everything_once(pieces: list[str]) -> None:
    """A stream of which each delta repeats all that came is read as the last of them."""
    assert grown(list(accumulate(pieces))) == ("".join(pieces), False)


@given(st.lists(st.text("abc def", min_size=3, max_size=9), min_size=3, max_size=12))
def test_a_repeated_whole_is_not_added(pieces: list[str]) -> None:
    """A last delta, or a message, that is the whole text adds nothing."""
    whole = "".join(pieces)
    text = GrowingText()
    before = "".join(map(text.add, pieces))
    assert before + text.compare(whole) == whole == text.text
    if not any(one.startswith(pieces[0]) for one in pieces[1:]):
        assert grown([*pieces, whole], is_last=True)[0] == whole


@pytest.mark.parametrize(
    ("deltas", "said"),
    [
        (["\n", "\n", "Hi"], ("\n\nHi", False)),
        (["ha"] * 40, ("ha" * 40, False)),
        (["1", "1"], ("11", True)),
        (["The sky", "The sky is blue"], ("The sky is blue", True)),
        (["The sky is blue today.", "The sky is blue today."], ("The sky is blue today.", False)),
        (["A long text, word for word."] * 30, ("A long text, word for word.", True)),
        (["A text", "A text, more", "A text, more of it", "A text, more"], ("A text, more of it", True)),
        (["A text", "A text, more", "A text, more of it", " and on"], ("A text, more of it and on", True)),
    ],
)
def test_which_reading(deltas: list[str], said: tuple[str, bool]) -> None:
    """Short repetitions are the model's, long ones the server's; between them the likelier is taken and doubted."""
    assert grown(deltas) == said


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("One two three", ("One two three", False)),
        (" One two three\n", ("One two three", False)),
        ("One two three four", ("One two three four", False)),
        ("One two", ("One two three", True)),
        ("Other words", ("One two three", True)),
    ],
)
def test_a_message_is_compared(message: str, said: tuple[str, bool]) -> None:
    """What a message says beyond its deltas is taken from it; where they differ the deltas stand, doubted."""
    text = GrowingText()
    before = "".join(map(text.add, ["One ", "two ", "three"]))
    assert (before + text.compare(message), text.is_doubted) == said


def test_a_message_may_leave_thinking_out() -> None:
    """A server that takes thinking out of its message alone repeats the rest."""
    text = GrowingText()
    assert text.add("<think>Hm.</think>\n\nBlue.") + text.compare("Blue.") == "<think>Hm.</think>\n\nBlue."
    assert not text.is_doubted


def test_the_same_again_and_again_is_doubted() -> None:
    """A server that repeats itself, or a model in a loop: nobody knows, so it is said and not kept."""
    text = GrowingText()
    for _ in range(200):
        text.add("word and more words ")
    text.end()
    assert text.is_doubted
