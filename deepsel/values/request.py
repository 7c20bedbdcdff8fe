"""What one person wants answered, before any provider is chosen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from deepsel.values.words import Json


class Image(NamedTuple):
    """A picture in a message."""

    media_type: str
    """For example `image/png`; empty where `url` is a link the provider fetches."""
    url: str
    """A `data:` URL with base64 content, or an http(s) link."""


class Message(NamedTuple):
    """One turn of a conversation."""

    role: str
    """system, user or assistant."""
    content: str
    images: tuple[Image, ...] = ()


class Request(NamedTuple):
    """What one person wants answered, before any provider is chosen."""

    messages: tuple[Message, ...]
    """In conversation order; a system message comes first where there is one."""
    max_tokens: int | None = None
    """Upper bound of the answer in tokens, reasoning included; None lets the plan choose."""
    temperature: float | None = None
    """None: the field is not sent."""
    seed: int | None = None
    """None: the field is not sent."""
    schema: Mapping[str, Json] | None = None
    """A JSON Schema the answer has to satisfy."""
    params: Mapping[str, Json] = {}
    """Raw members merged into the body last, as the user typed them."""
    stream: bool = True

    @property
    def has_images(self) -> bool:
        """Whether any message carries a picture."""
        return any(message.images for message in self.messages)
