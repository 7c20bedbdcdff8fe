"""Answers as they come: the pieces, the end, and what happens to a stream that is left early."""

from __future__ import annotations

import threading
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

import deepsel
from deepsel.health.log import Observation
from deepsel.health.sqlite_state import SqliteState
from deepsel.values import ReasoningDelta, TextDelta

Simulate = Callable[..., Any]
Profiles = Callable[..., Path]
SLOW = {"text": "word " * 2000, "itl_s": 0.01}


def observed(home: Path) -> list[Observation]:
    """What the log holds."""
    with SqliteState(home / "data") as state:
        return list(state.since(0).value or [])


@pytest.mark.parametrize("wire", ["openai-chat", "anthropic-messages", "openai-responses"])
def test_the_pieces_are_the_answer(simulate: Simulate, profiles: Profiles, wire: str) -> None:
    """Put together, the pieces of text are the answer's text; reasoning comes apart; the record is there at the end."""
    profiles(one=(simulate(text="In several pieces.", reasoning_tokens=5), wire))
    stream = deepsel.stream("Hi")
    with pytest.raises(deepsel.UsageError, match="not there yet"):
        _ = stream.answer
    events = list(stream)
    texts = [event.text for event in events if isinstance(event, deepsel.TextDelta)]
    thoughts = [event.text for event in events if isinstance(event, deepsel.ReasoningDelta)]
    assert len(texts) > 1
    assert thoughts
    assert "".join(texts) == stream.answer.text == "In several pieces."
    assert "".join(thoughts) == stream.answer.reasoning
    assert len(texts) + len(thoughts) == len(events)
    assert stream.answer.cache.status == "stored"
    assert list(stream) == []


def test_a_stream_that_cannot_begin_leaves_nothing_open(monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong option raises at once, and the client that was made for the one stream is closed."""
    closed: list[deepsel.Client] = []
    close = deepsel.Client.close
    monkeypatch.setattr(deepsel.Client, "close", lambda self: (closed.append(self), close(self)))
    with pytest.raises(deepsel.DeepselError):
        deepsel.stream("Hi", model="nobody-knows-it")
    assert len(closed) == 1


def test_a_hit_comes_in_one_piece(simulate: Simulate, profiles: Profiles) -> None:
    """What `ask` bought is streamed from the cache."""
    profiles(one=simulate(text="Bought."))
    with deepsel.Client() as client:
        client.ask("Hi")
        stream = client.stream("Hi")
        assert list(stream) == [deepsel.TextDelta("Bought.")]
    assert stream.answer.cache.status == "hit"


def test_a_cut_stream_is_an_error_at_its_end(simulate: Simulate, profiles: Profiles) -> None:
    """The pieces come; then the iteration, and `.answer` as well, raise the error that holds them."""
    profiles(one=simulate(text="First words of the answer", fault=("cut_mid_event",)), two=simulate(text="Other."))
    stream, texts = deepsel.stream("Hi"), []
    with pytest.raises(deepsel.IncompleteError) as caught:
        texts += [event.text for event in stream]
    assert caught.value.answer.text == "First words of the answer"[: len(caught.value.answer.text)] != ""
    with pytest.raises(deepsel.IncompleteError) as again:
        _ = stream.answer
    assert again.value is caught.value


def test_a_failure_before_any_text_asks_the_next(simulate: Simulate, profiles: Profiles) -> None:
    """While nothing was shown another model may answer."""
    profiles(one=simulate(fault=("503",)), two=simulate(text="Instead."))
    stream = deepsel.stream("Hi")
    assert "".join(event.text for event in stream) == "Instead."
    assert [attempt.model for attempt in stream.answer.attempts] == ["one", "two"]


def test_a_stream_that_nobody_could_answer_raises(profiles: Profiles, simulate: Simulate) -> None:
    """What is refused before sending is raised by the first step, and by `.answer`."""
    server = simulate()
    profiles(one=server)
    stream = deepsel.stream("Hi", max_cost_usd="0.0000001")
    with pytest.raises(deepsel.OverBudgetError):
        next(stream)
    with pytest.raises(deepsel.OverBudgetError):
        _ = stream.answer
    assert not server.calls


def test_closing_early_cancels_the_call_and_records_it(simulate: Simulate, profiles: Profiles, home: Path) -> None:
    """A closed stream has left its attempt in the log, and its answer is a part that is not taken for the whole."""
    server = simulate(**SLOW)
    profiles(one=server)
    with deepsel.Client() as client:
        with client.stream("Hi") as stream:
            first = next(stream)
        assert list(stream) == []
        with pytest.raises(deepsel.IncompleteError) as caught:
            _ = stream.answer
        stream.close()  # a second time changes nothing
        part = caught.value.answer
        assert part.text.startswith(first.text)
        assert len(part.text) < len(SLOW["text"])
        assert [attempt.outcome for attempt in part.attempts] == ["cancelled"]
        assert [(row.model, row.outcome, row.error_class) for row in observed(home)] == [("one", "cancelled", None)]


def test_a_loop_that_is_left_records_its_call(simulate: Simulate, profiles: Profiles, home: Path) -> None:
    """`break` out of the loop over a module's stream ends the call as `close` does."""
    profiles(one=simulate(**SLOW))
    for _ in deepsel.stream("Hi"):
        break
    assert [row.outcome for row in observed(home)] == ["cancelled"]


@pytest.mark.parametrize("pieces", [1, 10_000])
def test_a_modules_stream_closes_what_it_opened(pieces: int) -> None:
    """Left early or read to its end, it takes the demo's simulator down with it."""
    for _ in islice(deepsel.stream("Hi", profile="demo"), pieces):
        pass
    assert "simulator" not in {thread.name for thread in threading.enumerate()}


def test_a_stream_nobody_reads_sends_nothing(simulate: Simulate, profiles: Profiles) -> None:
    """Nothing is sent before the first step; closed then, it was never asked."""
    server = simulate()
    profiles(one=server)
    stream = deepsel.stream("Hi")
    stream.close()
    assert not server.calls
    assert list(stream) == []
    with pytest.raises(deepsel.IncompleteError):
        _ = stream.answer


def test_a_stream_is_read_while_its_client_is_open(simulate: Simulate, profiles: Profiles) -> None:
    """Begun after the client was closed it says so; cut by the closing it is not whole."""
    profiles(one=simulate(**SLOW), profile="retries = 0")
    with deepsel.Client() as client:
        unread, begun = client.stream("Hi"), client.stream("Ho")
        next(begun)
    with pytest.raises(deepsel.UsageError, match="the client is closed"):
        next(unread)
    with pytest.raises(deepsel.IncompleteError):
        list(begun)


def test_text_is_never_taken_for_reasoning() -> None:
    """As tuples the two would be the same; the two ways to ask agree."""
    text, reasoning = TextDelta("a"), ReasoningDelta("a")
    assert (text == reasoning, text != reasoning) == (False, True)
    for one in (text, reasoning):
        same = type(one)("a")
        assert (one == same, one != same) == (True, False)
