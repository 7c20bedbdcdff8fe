"""Vectors of a fixed size for texts: made from a hash, of length one, the same every time; they mean nothing."""

from __future__ import annotations

import base64
import hashlib
import math
import struct
from collections.abc import Mapping
from typing import Any

from deepsel.simulator.answers.reply import UnreadableRequest
from deepsel.simulator.answers.tokens import count
from deepsel.simulator.wires.asks import limit, model_of

SIZE = 256
_LARGEST = 4096


def embedded(body: Mapping[str, Any]) -> dict[str, Any]:
    """Answer a request for embeddings; raises UnreadableRequest."""
    model, size = model_of(body), limit(body, "dimensions", most=_LARGEST) or SIZE
    texts = _texts(body.get("input"))
    is_packed = body.get("encoding_format") == "base64"
    vectors = [_vector(text, size) for text in texts]
    data = [
        {"object": "embedding", "index": index, "embedding": _packed(vector) if is_packed else vector}
        for index, vector in enumerate(vectors)
    ]
    tokens = sum(map(count, texts))
    return {"object": "list", "data": data, "model": model, "usage": {"prompt_tokens": tokens, "total_tokens": tokens}}


def _texts(given: Any) -> list[str]:
    """Give the texts that are asked about: one, a list, or as tokens' numbers in either form."""
    if isinstance(given, str) and given:
        return [given]
    if isinstance(given, list) and given:
        if all(isinstance(one, str) for one in given):
            return given
        if all(isinstance(one, int) for one in given):
            return [" ".join(map(str, given))]
        if all(isinstance(one, list) for one in given):
            return [" ".join(map(str, one)) for one in given]
    raise UnreadableRequest("input must be a text or a list of them")


def _vector(text: str, size: int) -> list[float]:
    """Make a vector of length one."""
    raw = hashlib.shake_256(text.encode("utf-8", "surrogatepass")).digest(2 * size)
    numbers = [number / 32768 for (number,) in struct.iter_unpack("<h", raw)]
    length = math.sqrt(sum(number * number for number in numbers)) or 1.0
    return [number / length for number in numbers]


def _packed(vector: list[float]) -> str:
    """Write a vector as the base64 of its little-endian 32-bit numbers."""
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
