"""Many clients at once before providers that have bad days: none hangs, none is lost, no answer is another's, memory stays flat."""

from __future__ import annotations

import json
import random
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
from serve_sayings import Saying, chat, messages

Profiles = Callable[..., Path]
REQUESTS, CLIENTS, BAD = 224, 32, 0.2


def _moody(answer: Callable[[Saying], Any], seed: int) -> Any:
    """Say back what was asked, in pieces; one call in five fails in one of the ways of a bad day."""
    dice, lock = random.Random(seed), threading.Lock()

    def handle(request: Any, body: Any, out: Any) -> None:
        with lock:
            mood = dice.choice(["500", "503", "429", "cut", "garbage", "empty"]) if dice.random() < BAD else "good"
        content = body["messages"][-1]["content"]
        said = content if isinstance(content, str) else content[0]["text"]
        if mood in ("500", "503", "429"):
            out.whole(int(mood), {"retry-after": "0.01"} if mood == "429" else {}, b'{"error":{"message":"a bad day"}}')
        elif mood == "garbage":
            out.whole(200, {"content-type": "application/json"}, b"<html>Sorry</html>")
        elif mood == "empty":
            out.whole(200, {"content-type": "application/json"}, b"")
        elif mood == "cut":
            out.begin(200, {"content-type": "text/event-stream"}, b": hello\n\n")
            out.cut()
        else:
            answer(Saying(tuple(f"{word} " for word in f"You said {said}".split())))(request, body, out)

    return handle


def test_a_bad_day_with_many_clients(scripted: Any, serve: Any, profiles: Profiles) -> None:
    """224 requests of 32 clients on both wires, streamed and not: each gets the answer to its own, or an error in its wire's shape."""
    one, two = scripted(_moody(chat, 1)), scripted(_moody(messages, 2))
    fast = 'retries = 6\nmin_samples = 100000'
    served = serve(profiles(one=f"{one.url}/v1", two=(two.url, "anthropic-messages"), profile=fast))

    def ask(number: int) -> str:
        is_chat, stream = number % 2 == 0, number % 3 == 0
        path = "/v1/chat/completions" if is_chat else "/v1/messages"
        user = [{"role": "user", "content": f"number {number}"}]
        body = {"model": "auto", "max_tokens": 100, "messages": user, "stream": stream}
        with clients[number % CLIENTS] as turn:
            answer = turn.post(served.url + path, json=body)
        if answer.status_code != 200:
            assert answer.json()["error"]["message"]
            return "refused"
        if "error" in answer.text:
            return "ended"
        text = _text(answer.text, is_chat=is_chat, stream=stream)
        assert text == f"You said number {number} ", (number, answer.text)
        return "good"

    clients = [_Turn() for _ in range(CLIENTS)]
    with ThreadPoolExecutor(CLIENTS) as pool:
        found = Counter(pool.map(ask, range(REQUESTS)))
    for client in clients:
        client.close()
    assert found.total() == REQUESTS
    assert found["good"] >= 0.97 * REQUESTS, found
    assert len(served.logged(REQUESTS)) == REQUESTS
    assert len({line["id"] for line in served.lines}) == REQUESTS
    assert Counter(line["status"] for line in served.lines)[200] == found["good"] + found["ended"]


class _Turn:
    """A client that asks one thing at a time."""

    def __init__(self) -> None:
        self._client, self._lock = httpx.Client(timeout=60), threading.Lock()

    def __enter__(self) -> httpx.Client:
        self._lock.acquire()
        return self._client

    def __exit__(self, *_: object) -> None:
        self._lock.release()

    def close(self) -> None:
        self._client.close()


def _text(raw: str, *, is_chat: bool, stream: bool) -> str:
    """Read the words of an answer of either wire."""
    documents = [json.loads(line[6:]) for line in raw.splitlines() if line.startswith("data: {")] if stream else [json.loads(raw)]
    if is_chat:
        part = "delta" if stream else "message"
        return "".join(choice[part].get("content") or "" for one in documents for choice in one["choices"])
    if stream:
        return "".join(one["delta"].get("text", "") for one in documents if one["type"] == "content_block_delta")
    return "".join(block["text"] for block in documents[0]["content"])
