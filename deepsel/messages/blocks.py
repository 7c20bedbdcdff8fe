"""Reads the content of a message: a text, or a list of parts of either form, in the order given."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import cast

from deepsel.errors import UsageError
from deepsel.messages.forms import ANTHROPIC, OPENAI, PART_FORMS
from deepsel.messages.loading import extras
from deepsel.values import Document, Image, Json, JsonObject, Part, Text, Thinking, ToolCall, ToolResult

LEFT_OUT = "parts that are not text"
_LINKS = ("https://", "http://")


def read_content(content: Json, place: str, left_out: set[str] | None = None) -> tuple[Part, ...]:
    """Read a message's `content`; raises UsageError for what no part can hold.

    With `left_out` such a part is passed over, and the set says so: for counting, which sends nothing.
    """
    if isinstance(content, str):
        return (Text(content),)
    if not isinstance(content, list) or not content:
        raise UsageError(f"{place}: `content` must be text or a list of parts")
    parts: list[Part] = []
    for number, item in enumerate(content, 1):
        try:
            parts.append(read_part(item, f"{place}, part {number}" if len(content) > 1 else place))
        except UsageError:
            if left_out is None:
                raise
            left_out.add(LEFT_OUT)
    return tuple(parts)


def read_part(item: Json, place: str) -> Part:
    """Read one part of a content list; raises UsageError, naming its type or member, where no part can hold it."""
    if not isinstance(item, dict):
        raise UsageError(f"{place}: a content part must be an object with a `type`")
    kind = item.get("type")
    read = _READERS.get(kind) if isinstance(kind, str) else None
    if read is None:
        raise UsageError(
            f"{place}: a content part of type `{kind}` cannot be sent", f"understood are {', '.join(_READERS)}"
        )
    return read(item, place)


def form_of(item: Json) -> str:
    """Return the wire whose form alone has such a part; empty where both have."""
    kind = item.get("type") if isinstance(item, dict) else None
    if kind == "thinking" and isinstance(item, dict):
        return OPENAI if isinstance(item.get("thinking"), list) else ANTHROPIC
    return PART_FORMS.get(kind, "") if isinstance(kind, str) else ""


def member(item: JsonObject, name: str, place: str) -> str:
    """Return a member that has to be text; raises UsageError, naming it, where it is not."""
    value = item.get(name)
    if not isinstance(value, str):
        raise UsageError(f"{place}: `{name}` must be text")
    return value


def child(item: JsonObject, name: str, place: str) -> JsonObject:
    """Return a member that has to be an object; raises UsageError, naming it, where it is not."""
    value = item.get(name)
    if not isinstance(value, dict):
        raise UsageError(f"{place}: `{name}` must be an object")
    return value


def nested(item: JsonObject, name: str, inner: JsonObject, *known: str, beside: tuple[str, ...] = ()) -> JsonObject:
    """Return what no field stands for of a part and of the object in it called `name`."""
    further = extras(inner, *known)
    return extras(item, "type", name, *beside) | ({name: further} if further else {})


def _text(item: JsonObject, place: str) -> Text:
    return Text(member(item, "text", place), extras(item, "type", "text"))


def _image_url(item: JsonObject, place: str) -> Image:
    value = item.get("image_url")
    inner: JsonObject = value if isinstance(value, dict) else {"url": value}
    url = inner.get("url")
    if not isinstance(url, str) or not url.startswith(("data:image/", *_LINKS)):
        raise UsageError(f"{place}: an image needs a `data:image/...;base64,` or http(s) URL")
    return Image(media_type(url), url, nested(item, "image_url", inner, "url"))


def _image(item: JsonObject, place: str) -> Image:
    source = child(item, "source", place)
    media_type, url = _source(source, place)
    if media_type and not media_type.startswith("image/"):
        raise UsageError(f"{place}: `media_type` must be that of an image")
    return Image(media_type, url, nested(item, "source", source, "type", "media_type", "data", "url"))


def _document(item: JsonObject, place: str) -> Document:
    source = child(item, "source", place)
    name = item.get("title")
    beside = ("title",) if isinstance(name, str) and name else ()
    data = nested(item, "source", source, "type", "media_type", "data", "url", beside=beside)
    name = name if isinstance(name, str) else ""
    if source.get("type") == "text":
        return Document("text/plain", "", member(source, "data", place), name, data)
    media_type, url = _source(source, place)
    return Document(media_type, url, "", name, data)


def _source(source: JsonObject, place: str) -> tuple[str, str]:
    """Read where an Anthropic picture or document lies: its media type and URL."""
    if source.get("type") == "base64":
        media_type = member(source, "media_type", place)
        return media_type, f"data:{media_type};base64,{member(source, 'data', place)}"
    if source.get("type") != "url":
        raise UsageError(f"{place}: a `source` of type `{source.get('type')}` cannot be sent", "give base64 or a URL")
    url = member(source, "url", place)
    if not url.startswith(_LINKS):
        raise UsageError(f"{place}: `url` must be an http(s) URL")
    return "", url


def _file(item: JsonObject, place: str) -> Document:
    file = child(item, "file", place)
    if "file_id" in file:
        raise UsageError(f"{place}: `file_id` names a file at one provider and cannot be sent", "give `file_data`")
    url = member(file, "file_data", place)
    if not url.startswith("data:"):
        raise UsageError(f"{place}: `file_data` must be a `data:...;base64,` URL")
    name = file.get("filename")
    known = ("file_data", "filename") if isinstance(name, str) and name else ("file_data",)
    return Document(
        media_type(url), url, "", name if isinstance(name, str) else "", nested(item, "file", file, *known)
    )


def _thinking(item: JsonObject, place: str) -> Thinking:
    value = item.get("thinking")
    if isinstance(value, list):  # Mistral's chunks of text
        texts = [part.get("text") for part in value if isinstance(part, dict)]
        return Thinking("".join(text for text in texts if isinstance(text, str)), extras(item, "type"))
    return Thinking(member(item, "thinking", place), extras(item, "type", "thinking"))


def _redacted(item: JsonObject, place: str) -> Thinking:
    member(item, "data", place)
    return Thinking("", extras(item, "type"))


def _tool_use(item: JsonObject, place: str) -> ToolCall:
    arguments = json.dumps(child(item, "input", place), ensure_ascii=False, separators=(",", ":"))
    data = extras(item, "type", "id", "name", "input")
    return ToolCall(named(item, "id", place), named(item, "name", place), arguments, data)


def _tool_result(item: JsonObject, place: str) -> ToolResult:
    is_error = item.get("is_error")
    known = ("tool_use_id", "content", *(("is_error",) if isinstance(is_error, bool) else ()))
    parts = read_result(item["content"], place) if item.get("content") not in (None, []) else ()
    return ToolResult(
        call_id=named(item, "tool_use_id", place),
        parts=parts,
        is_error=is_error if isinstance(is_error, bool) else None,
        provider_data=extras(item, "type", *known),
    )


def read_result(content: Json, place: str) -> tuple[Text | Image | Document, ...]:
    """Read what a tool brought; raises UsageError for a part that is neither text, picture nor document."""
    parts = read_content(content, place)
    if not all(isinstance(part, Text | Image | Document) for part in parts):
        raise UsageError(f"{place}: the result of a tool holds text, pictures or documents")
    return cast("tuple[Text | Image | Document, ...]", parts)


def named(item: JsonObject, name: str, place: str) -> str:
    """Return a member that has to be a text which is not empty."""
    if not member(item, name, place):
        raise UsageError(f"{place}: `{name}` is empty")
    return member(item, name, place)


def media_type(url: str) -> str:
    """Return the type that a data URL names; empty for any other address."""
    return url[5:].partition(",")[0].partition(";")[0] if url.startswith("data:") else ""


_READERS: Mapping[str, Callable[[JsonObject, str], Part]] = {
    "text": _text,
    "image_url": _image_url,
    "image": _image,
    "file": _file,
    "document": _document,
    "thinking": _thinking,
    "redacted_thinking": _redacted,
    "tool_use": _tool_use,
    "tool_result": _tool_result,
}
