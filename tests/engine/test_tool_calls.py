"""Tool calls of an answer as they grow: whole, cut, unnamed, missing, and what they cost where nobody says."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepsel import tokens
from deepsel.catalog import Catalog
from deepsel.engine.attempt import Draft, judge, settle
from deepsel.engine.checks.schema import TimeLeft
from deepsel.engine.checks.tool_calls import is_cut
from deepsel.errors import AttemptFailed, ErrorClass
from deepsel.values import Finish, FinishReport, Model, Provider, Source, TextDelta, ToolCall, ToolCallDelta, WireEvent

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=6
)
objects = st.dictionaries(st.text(), json_values, max_size=4)


def drafted(*events: WireEvent, finish: Finish = Finish.TOOL, raw: str = "tool_calls") -> Draft:
    """A draft that has taken these events and the finish value."""
    model = Model(name="m", provider="host", id="m-1", vocabulary="o200k_base")
    provider = Provider(name="host", wire="openai-chat", base_url="http://127.0.0.1:1/v1")
    draft = Draft(model, provider, 100, datetime(2026, 11, 24, tzinfo=UTC), 0.0, Catalog())
    for event in (*events, FinishReport(finish, raw)):
        draft.take(event, 1.0)
    draft.join()
    return draft


@given(objects, st.data())
def test_arguments_come_together_however_they_are_cut(arguments: dict[str, Any], data: st.DataObject) -> None:
    """A call is the same in one piece and in many, and the whole of it is never taken for cut."""
    text = json.dumps(arguments)
    cuts = sorted(data.draw(st.sets(st.integers(0, len(text)))) | {0, len(text)})
    pieces = [ToolCallDelta(3, arguments=text[a:b]) for a, b in pairwise(cuts)]
    draft = drafted(ToolCallDelta(3, "a", "f"), *pieces)
    judge(draft, None, TimeLeft.of(60.0))
    assert draft.tool_calls == (ToolCall("a", "f", text),)
    assert draft.tool_calls[0].parsed == arguments


@given(objects, st.data())
def test_a_beginning_of_arguments_is_cut(arguments: dict[str, Any], data: st.DataObject) -> None:
    """Whatever is missing at the end, the call is not whole."""
    text = json.dumps(arguments)
    assert is_cut(ToolCall("a", "f", text[: data.draw(st.integers(1, len(text) - 1))]))


BAD = {
    "cut": ((ToolCallDelta(0, "a", "f", '{"city": "Ro'),), Finish.TOOL, ErrorClass.TRUNCATED, "`f`"),
    "cut at the limit": ((ToolCallDelta(0, "a", "f", "{}"),), Finish.LENGTH, ErrorClass.TRUNCATED, "limit"),
    "without a name": ((ToolCallDelta(0, "a", "", "{}"),), Finish.TOOL, ErrorClass.MALFORMED, "naming"),
    "none came": ((TextDelta("I will look."),), Finish.TOOL, ErrorClass.MALFORMED, "no call came"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_call_that_cannot_be_made_is_a_failure(case: str) -> None:
    """A call that is cut or unnamed, and one that was announced and did not come, are never taken for an answer."""
    events, finish, error_class, said = BAD[case]
    with pytest.raises(AttemptFailed, match=said) as caught:
        judge(drafted(*events, finish=finish), None, TimeLeft.of(60.0))
    assert caught.value.error_class is error_class


def test_an_answer_with_calls_ends_with_them() -> None:
    """Some hosts say `stop` after a call; the answer's finish is still `tool`, and a schema is not asked of its text."""
    draft = drafted(ToolCallDelta(0, "a", "f", ""), finish=Finish.COMPLETE, raw="stop")
    judge(draft, {"type": "object"}, TimeLeft.of(60.0))
    assert draft.finish is Finish.TOOL
    assert draft.tool_calls[0].parsed == {}
    assert draft.ttft_s == 1.0


def test_arguments_that_are_no_json_are_the_models_own() -> None:
    """What is not JSON, and not the beginning of an object either, is handed over as the text it is."""
    draft = drafted(ToolCallDelta(0, "a", "f", "Rome"))
    judge(draft, None, TimeLeft.of(60.0))
    assert draft.tool_calls[0].parsed is None


def test_calls_are_counted_where_no_usage_is_reported() -> None:
    """Name and arguments are output tokens like words."""
    nothing = tokens.Count(5, Source.COUNTED, 0.0, "o200k_base")
    draft = drafted(TextDelta("Looking."), ToolCallDelta(0, "a", "weather", '{"city":"Rome"}'))
    words, both = (tokens.count(text, "o200k_base").tokens for text in ("Looking.", 'Looking.weather{"city":"Rome"}'))
    assert settle(draft, nothing).usage.output_tokens == both > words
