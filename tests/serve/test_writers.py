"""What each surface writes of an answer reads back as that answer, streamed in any pieces and chunks and whole: no socket, pure."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepsel.errors import AttemptFailed, ErrorClass
from deepsel.serve.surfaces.events import json_bytes
from deepsel.serve.surfaces.surface import Labels
from deepsel.serve.surfaces.table import PATHS, surface_of
from deepsel.values import (
    Answer,
    CacheUse,
    Finish,
    FinishReport,
    ReasoningDelta,
    TextDelta,
    ToolCall,
    ToolCallDelta,
    Usage,
    UsageReport,
    WireEvent,
)
from deepsel.wires.sse import EventStream
from deepsel.wires.table import wire_of

LABELS = Labels(id="1", created=5, model="m", input_tokens=7)
# Long enough, and each with a number of its own, that no piece can be taken for a repetition of those before it.
words = st.lists(st.text(st.characters(exclude_categories=("Cs",)), max_size=6), max_size=5).map(
    lambda pieces: [f"{number:04}{piece}" for number, piece in enumerate(pieces)]
)
arguments = st.dictionaries(st.text("abc", min_size=1, max_size=3), st.integers() | st.text(max_size=4), max_size=2).map(json.dumps)
calls = st.lists(st.tuples(arguments, st.integers(0, 30)), max_size=3)
counts = st.integers(1, 50)


def fail(document: Any) -> AttemptFailed:
    return AttemptFailed(ErrorClass.SERVER, f"found {document}")


def gathered(events: list[WireEvent]) -> tuple[Any, ...]:
    """The answer that events add up to."""
    made: dict[int, list[str]] = {}
    for one in events:
        if isinstance(one, ToolCallDelta):
            held = made.setdefault(one.number, ["", "", ""])
            held[:] = held[0] or one.id, held[1] or one.name, held[2] + one.arguments
    text, reasoning = ("".join(one.text for one in events if isinstance(one, kind)) for kind in (TextDelta, ReasoningDelta))
    finish = [one.finish for one in events if isinstance(one, FinishReport)][-1]
    usage = Usage()
    for one in events:
        usage = one.usage.after(usage) if isinstance(one, UsageReport) else usage
    return text, reasoning, [(i, n, json.loads(a or "{}")) for i, n, a in made.values()], finish, (usage.input_tokens, usage.output_tokens)


def answer_of(text: str, reasoning: str, made: list[tuple[str, int]], finish: Finish, usage: Usage) -> Answer:
    tool_calls = tuple(ToolCall(f"call_{number}", f"tool_{number}", written) for number, (written, _) in enumerate(made))
    return Answer(
        text=text, reasoning=reasoning, model="m", answered_model=None, provider="p", profile="main", task="chat", difficulty=None,
        finish=finish, usage=usage, cost_usd=None, price_rule=None, ttft_s=None, total_s=1.0, cache=CacheUse("off"), attempts=(),
        tool_calls=tool_calls,
    )  # fmt: skip


def deltas(pieces: list[str], thoughts: list[str], made: list[tuple[str, int]]) -> list[TextDelta | ReasoningDelta | ToolCallDelta]:
    """An answer's pieces in the order in which they come; those of several calls by turns."""
    found: list[TextDelta | ReasoningDelta | ToolCallDelta] = [*map(ReasoningDelta, thoughts), *map(TextDelta, pieces)]
    found += [ToolCallDelta(number, f"call_{number}", f"tool_{number}") for number in range(len(made))]
    found += [ToolCallDelta(number, arguments=written[:at]) for number, (written, at) in enumerate(made) if written[:at]]
    return found + [ToolCallDelta(number, arguments=written[at:]) for number, (written, at) in enumerate(made) if written[at:]]


@pytest.mark.parametrize("path", PATHS)
@given(words, words, calls, st.booleans(), st.tuples(counts, counts), st.lists(st.integers(0, 6000), max_size=12))
def test_a_written_stream_reads_back(
    path: str, pieces: list[str], thoughts: list[str], made: list[tuple[str, int]], is_cut: bool, used: tuple[int, int], cuts: list[int]
) -> None:
    """Text, thinking, calls, finish and usage come out of the bytes as they went in, in any chunks, and out of the document."""
    surface = surface_of(path)
    finish = Finish.LENGTH if is_cut else Finish.TOOL if made else Finish.COMPLETE
    usage = Usage(input_uncached=used[0], output_visible=used[1])
    answer = answer_of("".join(pieces), "".join(thoughts), made, finish, usage)
    writer = surface.Writer(LABELS)
    body = b"".join([*(writer.feed(delta) for delta in deltas(pieces, thoughts, made)), writer.end(answer)])
    parser, streamed = EventStream(), wire_of(surface.WIRE).Decoder(fail)
    events: list[WireEvent] = []
    for start, stop in pairwise([0, *sorted(min(cut, len(body)) for cut in cuts), len(body)]):
        for event in parser.feed(body[start:stop]):
            events += streamed.feed(event)
    events += streamed.rest(is_clean=True)
    streamed.close()
    wanted = (answer.text, answer.reasoning, [(one.id, one.name, one.parsed) for one in answer.tool_calls], finish, used)
    assert gathered(events) == wanted
    whole = wire_of(surface.WIRE).Decoder(fail)
    told = [*whole.read(json.loads(json_bytes(surface.document(answer, LABELS)))), *whole.rest(is_clean=True)]
    whole.close()
    assert gathered(told) == wanted
