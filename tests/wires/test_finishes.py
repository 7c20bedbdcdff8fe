"""Finish values as hosts spell them."""

from __future__ import annotations

from typing import Any

import pytest

from deepsel.errors import ErrorClass
from deepsel.values import Finish
from deepsel.wires.finishes import BROKEN, FINISHES, broken_by, finish_of, raw_finish


@pytest.mark.parametrize(
    ("raw", "finish"),
    [
        *((raw, Finish.COMPLETE) for raw in ("stop", "STOP", "Stop", "eos", "EOS_TOKEN", "end_turn", "endTurn", "COMPLETE", "<|eos|>")),
        *((raw, Finish.LENGTH) for raw in ("MAX_TOKENS", "MaxTokens", "max-tokens", "max_output_tokens", "FinishReason.MAX_TOKENS",
                                           "max_tokens_reached", "LENGTH_CAPPED", "output truncated")),
        *((raw, Finish.FILTERED) for raw in ("SAFETY", "RECITATION", "contentFilter", "PROHIBITED_CONTENT", "ERROR_TOXIC")),
        *((raw, Finish.TOOL) for raw in ("tool_use", "TOOL_CALL", "toolCalls", "function_call")),
        *((raw, None) for raw in ("novel", "OTHER", "stopped_by_the_moon")),
    ],
)
def test_spellings(raw: str, finish: Finish | None) -> None:
    """One table knows every wire's words, however they are spelled; a word nobody knows stays unknown."""
    assert finish_of(raw) is finish


@pytest.mark.parametrize(
    ("value", "raw"),
    [("stop", "stop"), (" stop ", "stop"), (None, ""), ("", ""), ("null", ""), ("NONE", ""), (False, ""), (0, ""), ([], "[]"),
     ("FINISH_REASON_UNSPECIFIED", ""), ({"type": "stop"}, "stop"), ({}, ""), (2, "2"), (True, "True")],
)  # fmt: skip
def test_what_is_no_finish_value(value: Any, raw: str) -> None:
    """Some hosts have words for an answer that goes on."""
    assert raw_finish(value) == raw


def test_giving_up() -> None:
    """A word for a broken answer is a failure, and none of the table's own."""
    assert broken_by("ERROR") is ErrorClass.SERVER
    assert broken_by("stop") is None
    assert not FINISHES.keys() & BROKEN.keys()
