"""A provider's own count of a request, over real sockets."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from deepsel.clock import SystemClock
from deepsel.errors import AttemptFailed, ErrorClass
from deepsel.providers.counting import can_count, count_tokens
from deepsel.providers.transport import HttpTransport
from deepsel.secret import Secret
from deepsel.values import Message, Request

Make = Callable[..., Any]
WIRE = "anthropic-messages"


@pytest.fixture
def counted(serve: Make, model: Make, provider: Make) -> Iterator[Callable[..., Any]]:
    """Ask a server that gives one response; gives the count and the request as it came."""
    with HttpTransport(SystemClock(), env={}) as transport:

        def ask(response: bytes, *texts: str) -> tuple[int, bytes]:
            server = serve(["read", response])
            host = provider(wire=WIRE, base_url=server.url, auth="x-api-key")
            asked = Request(tuple(Message.of("user", text) for text in texts))
            tokens = count_tokens(transport, asked, model(), host, Secret("sk-key-0123456789"), clock=SystemClock())
            return tokens, server.requests[0]

        yield ask


def test_a_request_is_counted(counted: Make, reply: Make) -> None:
    """The texts go out as user messages with the wire's headers and the key; the count comes back."""
    tokens, sent = counted(reply('{"input_tokens": 17}'), "One?", "Two\ud800?")
    head, _, body = sent.partition(b"\r\n\r\n")
    assert tokens == 17
    assert head.startswith(b"POST /v1/messages/count_tokens ")
    assert b"anthropic-version: 2023-06-01" in head.lower()
    assert b"x-api-key: sk-key-0123456789" in head.lower()
    assert json.loads(body) == {"model": "m-1", "messages": [{"role": "user", "content": "One?"}, {"role": "user", "content": "Two??"}]}


@pytest.mark.parametrize("count", ["-1", "true", '"17"', "1.5", "null"])
def test_what_is_no_count_is_malformed(counted: Make, reply: Make, count: str) -> None:
    """An answer whose count is no whole number from 0 is refused."""
    with pytest.raises(AttemptFailed, match="without `input_tokens`") as caught:
        counted(reply(f'{{"input_tokens": {count}}}'), "Hi")
    assert caught.value.error_class is ErrorClass.MALFORMED


def test_a_refusal_has_its_class_and_words(counted: Make, reply: Make) -> None:
    """A refused count says why, in the provider's words, without the key."""
    error = '{"type": "error", "error": {"type": "authentication_error", "message": "no such key sk-key-0123456789"}}'
    with pytest.raises(AttemptFailed, match="no such key") as caught:
        counted(reply(error, "401 Unauthorized"), "Hi")
    assert caught.value.error_class is ErrorClass.AUTH
    assert "sk-key-0123456789" not in caught.value.message


def test_who_can_count(provider: Make) -> None:
    """A wire without a count endpoint cannot be asked."""
    assert can_count(provider(wire=WIRE))
    assert not can_count(provider(wire="openai-chat"))
