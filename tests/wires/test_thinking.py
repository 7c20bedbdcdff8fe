"""Reasoning between tags in the text."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepsel.values import TextDelta
from deepsel.wires.thinking import ThinkTags, part_at_lone_closer


def parted(*pieces: str) -> tuple[str, str]:
    """Reasoning and text of a text that comes in these pieces."""
    tags = ThinkTags()
    found = [event for piece in pieces for event in tags.feed(piece)] + tags.flush()
    said = "".join(event.text for event in found if isinstance(event, TextDelta))
    return "".join(event.text for event in found if not isinstance(event, TextDelta)), said


TEXTS = {
    "<think>\nHm.\n</think>\n\nBlue.": ("Hm.\n", "Blue."),
    "\n <think>Hm.</think>Blue.": ("Hm.", "Blue."),
    "<thinking>Hm.</thinking> Blue.": ("Hm.", "Blue."),
    "<THINK>Hm.</Think>Blue.": ("Hm.", "Blue."),
    '<think budget="3">a < b</think >Blue.': ("a < b", "Blue."),
    "<thought>Hm.</thought>Blue.": ("Hm.", "Blue."),
    "<reasoning>Hm.</reasoning>Blue.": ("Hm.", "Blue."),
    "<seed:think>Hm.</seed:think>Blue.": ("Hm.", "Blue."),
    "[THINK]Hm.[/THINK]Blue.": ("Hm.", "Blue."),
    "◁think▷Hm.◁/think▷Blue.": ("Hm.", "Blue."),
    "<|begin_of_thought|>Hm.<|end_of_thought|>Blue.": ("Hm.", "Blue."),
    "<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant<|channel|>final<|message|>Blue.": ("Hm.", "Blue."),
    "<|start|>assistant<|channel|>analysis<|message|>Hm.<|end|>Blue.": ("Hm.", "Blue."),
    "<|channel|>final<|message|>Blue.": ("", "Blue."),
    "<|channel>thought\nHm.\n<channel|>Blue.": ("Hm.\n", "Blue."),
    "<|START_THINKING|>Hm.<|END_THINKING|><|START_RESPONSE|>Blue.": ("Hm.", "Blue."),
    "<|channel|>other<|message|>Blue.": ("", "<|channel|>other<|message|>Blue."),
    "<think>a <|end|> b</think>Blue.": ("a <|end|> b", "Blue."),
    "<think>\n\n</think>\n\nBlue.": ("", "Blue."),
    "<think>a</think>\n<think>b</think>\nBlue.": ("ab", "Blue."),
    "<think>never closed": ("never closed", ""),
    "<think>Hm.</think>\n": ("Hm.", ""),
    "<think>a </thin k</think>b": ("a </thin k", "b"),
    "<thin": ("", "<thin"),
    "<think": ("", "<think"),
    "<thinker>Rodin</thinker>": ("", "<thinker>Rodin</thinker>"),
    "<html><think>no</think>": ("", "<html><think>no</think>"),
    "Use <think>tags</think>.": ("", "Use <think>tags</think>."),
    " \n Blue.": ("", " \n Blue."),
    "[1] Blue.": ("", "[1] Blue."),
    "": ("", ""),
}


@pytest.mark.parametrize("text", TEXTS)
def test_what_is_reasoning(text: str) -> None:
    """What stands between tags at the start is reasoning, in every spelling; tags further on are text."""
    assert parted(text) == TEXTS[text]
    assert parted(*text) == TEXTS[text]


@given(st.sampled_from(list(TEXTS)), st.lists(st.integers(0, 60), max_size=8))
def test_any_chunking_gives_the_same(text: str, cuts: list[int]) -> None:
    """However the text is cut, inside the tags too, it is parted alike."""
    places = sorted({0, len(text), *(min(cut, len(text)) for cut in cuts)})
    assert parted(*(text[start:end] for start, end in pairwise(places))) == TEXTS[text]


@given(st.text(st.sampled_from("<>/[]think \n◁▷ab"), max_size=40))
def test_nothing_is_lost(text: str) -> None:
    """What is neither tag nor blank is kept, in its order."""
    reasoning, said = parted(*text)
    if not reasoning and said == text:
        return
    left = iter(text)
    assert all(char in left for char in "".join((reasoning + said).split()))


def test_long_thinking_is_given_as_it_comes() -> None:
    """Reasoning is not held back until it ends, nor is a text that only begins like a tag."""
    tags = ThinkTags()
    assert tags.feed("<think>Some words") != []
    assert sum(len(event.text) for _ in range(1000) for event in tags.feed("<")) > 900
    assert ThinkTags().feed("<think" + " x" * 100) != []


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("Hm.\n</think>\n\nBlue.", ("Hm.", "Blue.", True)),
        ("Hm.</think>Blue.", ("Hm.", "Blue.", False)),
        ("Hm.</think>\nBlue.", ("Hm.", "Blue.", True)),
        ("[x] Hm.[/THINK]\nBlue.", ("[x] Hm.", "Blue.", True)),
        ("Hm.</think>", ("Hm.", "", True)),
        ("Close it with `</think>`.", None),
        ('Write "</think>" there', None),
        ("Text <think>a</think> b", None),
        ("```\na\n</think>\n```\n", None),
        ("<b>Blue</b>", None),
        ("Blue.<|end|>", None),
        ("Blue.", None),
    ],
)
def test_a_lone_closing_tag(text: str, parts: tuple[str, str, bool] | None) -> None:
    """What stands before a closing tag that nothing opens is reasoning, unless the tag is quoted."""
    found = part_at_lone_closer(text)
    assert (None if found is None else tuple(found)) == parts
