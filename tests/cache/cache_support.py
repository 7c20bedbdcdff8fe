"""A clock that only a test moves, and answers to keep."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from deepsel.cache import CachedAnswer, cache_key, key_document
from deepsel.values import Finish, JsonObject, Usage


class FakeClock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> datetime:
        return datetime(2026, 3, 1, 12, tzinfo=UTC) + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds


def document_for(prompt: str, model: str = "m-1") -> JsonObject:
    return key_document(
        {"model": model, "messages": [{"role": "user", "content": prompt}], "temperature": 0},
        provider="local",
        wire="openai-chat",
        wire_format=1,
        model_id=model,
        base_url="http://127.0.0.1:8000/v1",
    )


def make_answer(prompt: str = "hello", text: str = "world", **members: Any) -> tuple[str, CachedAnswer]:
    document = document_for(prompt, members.get("model", "m-1"))
    answer = CachedAnswer(
        text=text,
        reasoning="",
        finish=Finish.COMPLETE,
        model="m-1",
        provider="local",
        answered_model="m-1-0301",
        usage=Usage(input_uncached=12, cache_read=0, output_visible=3),
        cost_usd=Decimal("0.000125"),
        document=document,
        price_rule="off-peak",
        task="chat",
        question=prompt,
    )
    return cache_key(document), answer._replace(**members)


class Bomb:
    """Makes the file it was given when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return (Path.touch, (self.path,))
