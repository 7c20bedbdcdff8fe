"""The wire `anthropic-messages`: builds the body of POST /v1/messages and reads its streams and whole answers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from deepsel.errors import AttemptFailed, ErrorClass
from deepsel.providers import bodies
from deepsel.providers.bodies import is_deterministic, withheld
from deepsel.providers.failures import Fail, is_error
from deepsel.providers.fields import child, items, load_object, text
from deepsel.providers.sse import Event
from deepsel.providers.usage import anthropic_usage, stated_cost_usd
from deepsel.secret import Secret
from deepsel.values import (
    Finish,
    FinishReport,
    Identity,
    Image,
    Json,
    JsonObject,
    Message,
    Model,
    Provider,
    ReasoningDelta,
    Request,
    TextDelta,
    UsageReport,
    WireEvent,
)

__all__ = ["Decoder", "encode", "headers", "is_deterministic", "url", "withheld"]

VERSION = "2023-06-01"
FINISHES: Mapping[str, Finish] = {
    "end_turn": Finish.COMPLETE,
    "stop_sequence": Finish.COMPLETE,
    "max_tokens": Finish.LENGTH,
    "model_context_window_exceeded": Finish.LENGTH,
    "tool_use": Finish.TOOL,
    "refusal": Finish.FILTERED,
    "pause_turn": Finish.INCOMPLETE,
}


# --- the request -----------------------------------------------------------------------------------------------------


def url(provider: Provider) -> str:
    """Return where requests are posted; a base URL may end in /v1 or not."""
    base = provider.base_url.rstrip("/")
    return base + ("/messages" if base.endswith("/v1") else "/v1/messages")


def headers(provider: Provider, key: Secret | None) -> dict[str, str | Secret]:
    """Return the request's headers, the key among them."""
    return {"anthropic-version": VERSION, **bodies.key_headers(provider, key)}


def encode(request: Request, model: Model, provider: Provider, *, max_tokens: int) -> JsonObject:
    """Return the request's body; holds no secret. System messages are gathered at its top."""
    system = [message.content for message in request.messages if message.role == "system"]
    turns: list[Json] = [_message(message) for message in request.messages if message.role != "system"]
    fields: JsonObject = {"model": model.id, "messages": turns, "stream": request.stream}
    has_form = request.schema is not None and "json_schema" in model.features
    if request.schema is not None and not has_form:
        system.append(bodies.schema_instruction(request.schema))
    if system:
        fields["system"] = "\n\n".join(system)
    body = bodies.assemble(fields, request, model, provider, max_tokens=max_tokens)
    if request.schema is not None and has_form:
        form: JsonObject = {"format": {"type": "json_schema", "schema": dict(request.schema)}}
        body["output_config"] = form | child(body, "output_config")  # it also holds the user's effort
    return body


def _message(message: Message) -> JsonObject:
    if not message.images:
        return {"role": message.role, "content": message.content}
    parts: list[Json] = [{"type": "image", "source": _source(image)} for image in message.images]
    if message.content:
        parts.append({"type": "text", "text": message.content})
    return {"role": message.role, "content": parts}


def _source(image: Image) -> JsonObject:
    """Give a picture as base64 where it came as a data URL, else as the link it is."""
    head, comma, data = image.url.partition(",")
    if not head.startswith("data:") or not comma:
        return {"type": "url", "url": image.url}
    media_type = image.media_type or head.removeprefix("data:").partition(";")[0]
    return {"type": "base64", "media_type": media_type, "data": data}


# --- the answer ------------------------------------------------------------------------------------------------------


class Decoder:
    """Reads one answer, as events of a stream or as one document.

    A stream is whole when a stop reason and `message_stop` have come; nothing is read after that.
    """

    def __init__(self, fail: Fail) -> None:
        self._fail = fail
        self._usage: JsonObject = {}
        self._has_finish = False
        self.is_whole = False
        """The stop reason and the end have been seen."""
        self.is_ended = False
        """The end has been seen; nothing that follows counts."""

    def feed(self, event: Event) -> Iterable[WireEvent]:
        """Give what one event of a stream says; raises AttemptFailed for an error or a malformed event."""
        data = event.data.strip()
        if self.is_ended or not data or event.event == "ping":
            return ()
        if event.event == "error":
            raise self._fail(data)
        return self.read(load_object(data))

    def read(self, document: JsonObject) -> Iterator[WireEvent]:
        """Yield what one event's document, or a whole answer, says; kinds that are not known say nothing."""
        if is_error(document):
            raise self._fail(document)
        match document.get("type"):
            case "message_start":
                yield from self._message(child(document, "message"))
            case "content_block_start":
                yield from _pieces(child(document, "content_block"))
            case "content_block_delta":
                yield from _pieces(child(document, "delta"))
            case "message_delta":
                yield from self._finish(child(document, "delta"))
                yield from self._count(child(document, "usage"))
            case "message_stop":
                self._end()
            case "message":
                yield from self._message(document)
                self._end()

    def close(self) -> None:
        """Accept the end of the answer; raises AttemptFailed (stream_cut) where it is not whole."""
        if not self.is_whole:
            missing = "`message_stop`" if self._has_finish else "a stop reason"
            raise AttemptFailed(ErrorClass.STREAM_CUT, f"the answer ended without {missing}")

    def _end(self) -> None:
        self.is_ended, self.is_whole = True, self._has_finish

    def _message(self, message: JsonObject) -> Iterator[WireEvent]:
        """Read a message: empty but for its head at a stream's start, whole in a document."""
        if model := text(message.get("model")):
            yield Identity(answered_model=model)
        for block in items(message.get("content")):
            yield from _pieces(block)
        yield from self._finish(message)
        yield from self._count(child(message, "usage"))

    def _finish(self, delta: JsonObject) -> Iterator[WireEvent]:
        raw = text(delta.get("stop_reason"))
        if raw and not self._has_finish:
            self._has_finish = True
            yield FinishReport(FINISHES.get(raw), raw)

    def _count(self, usage: JsonObject) -> Iterator[WireEvent]:
        """Report usage so far: each field's latest value, since they are cumulative."""
        self._usage |= {name: value for name, value in usage.items() if value is not None}
        buckets = anthropic_usage(self._usage) if usage else None
        if buckets is not None:
            yield UsageReport(buckets, stated_cost_usd(self._usage))


def _pieces(block: Json) -> Iterator[WireEvent]:
    """Yield text and thinking of a content block or of a delta to one."""
    if not isinstance(block, dict):
        return
    if thinking := text(block.get("thinking")):
        yield ReasoningDelta(thinking)
    if words := text(block.get("text")):
        yield TextDelta(words)
