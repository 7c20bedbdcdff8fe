"""Plans whole responses: which bytes, in which frames, and when each is due; misbehaviour is put in by `faults`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from deepsel.simulator.answers.errors_table import ErrorRow
from deepsel.simulator.answers.reply import TOKEN_MARKS, Content, Frame, Mark, ReadRequest, Reply
from deepsel.simulator.answers.tokens import pieces, said_tokens
from deepsel.simulator.scenario import Behaviour
from deepsel.simulator.wires.sse import compact
from deepsel.simulator.wires.table import SimulatedWire

JSON = "application/json"
EVENT_STREAM = "text/event-stream; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Scene:
    """All that is known when a response is planned."""

    wire: SimulatedWire
    ask: ReadRequest
    behaviour: Behaviour
    request_id: str
    now: datetime
    cold_s: float = 0.0
    """What is left of a cold start."""
    headers: Mapping[str, str] | None = None
    """More headers for a good answer."""


def stream_reply(scene: Scene, content: Content) -> Reply:
    """Plan a streamed answer."""
    behaviour = scene.behaviour
    frames = scene.wire.events(content, chunk_tokens=behaviour.chunk_tokens)
    timed = _scheduled(frames, behaviour, scene.cold_s)
    headers = {"content-type": EVENT_STREAM, "cache-control": "no-cache", **_identity(scene), **(scene.headers or {})}
    return Reply(
        status=200,
        headers=headers,
        frames=tuple(_joined(timed, behaviour.events_per_write)),
        framing="chunked",
        head_s=scene.cold_s + behaviour.headers_s,
    )


def whole_reply(scene: Scene, content: Content) -> Reply:
    """Plan an answer in one body, due when a stream's last token would be."""
    behaviour = scene.behaviour
    tokens = len(pieces(content.reasoning)) + said_tokens(content)
    due_s = scene.cold_s + behaviour.ttft_s + max(0, tokens - 1) * behaviour.itl_s
    body = compact(scene.wire.whole(content))
    headers = {"content-type": JSON, **_identity(scene), **(scene.headers or {})}
    return Reply(200, headers, (Frame(body, Mark.BODY, due_s=due_s),), head_s=due_s)


def error_body(scene: Scene, row: ErrorRow, wait_s: float) -> Mapping[str, Any]:
    """Give an error's body, in the row's own shape where it has one."""
    shape = row.shape or scene.wire.error_body
    return shape(row.worded(wait_s), scene.request_id)


def error_reply(scene: Scene, row: ErrorRow, wait_s: float) -> Reply:
    """Plan a refusal, sent at once; `wait_s` is the wait it names."""
    headers = row.headers(wait_s, scene.now) if row.headers else {}
    body = error_body(scene, row, wait_s)
    frame = Frame(scene.wire.error_event(body) if row.as_event else compact(body), Mark.BODY)
    kind = EVENT_STREAM if row.as_event else JSON
    return Reply(row.status, {"content-type": kind, **_identity(scene), **headers}, (frame,))


def json_reply(status: int, body: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Reply:
    """Plan a small JSON response, sent at once."""
    return Reply(status, {"content-type": JSON, **(headers or {})}, (Frame(compact(body), Mark.BODY),))


def stalled(reply: Reply, behaviour: Behaviour, since_first_s: float) -> Reply:
    """Move everything that falls in a stall window to its end; `since_first_s` is when this request was read."""
    if not behaviour.stall_s:
        return reply

    def moved(due_s: float) -> float:
        """Move one due time."""
        return behaviour.released_s(since_first_s + due_s) - since_first_s

    frames = tuple(replace(frame, due_s=moved(frame.due_s)) for frame in reply.frames)
    return replace(reply, head_s=moved(reply.head_s), frames=frames)


def _identity(scene: Scene) -> dict[str, str]:
    """Name the request in the wire's header."""
    return {scene.wire.REQUEST_ID_HEADER: scene.request_id}


def _scheduled(frames: Iterable[Frame], behaviour: Behaviour, cold_s: float) -> Iterable[Frame]:
    """Set when each frame is due, all from one start so that errors do not add up; what is no token follows at once."""
    done = 0
    due_s = cold_s + behaviour.headers_s
    for frame in frames:
        if frame.tokens:
            due_s = max(due_s, cold_s + behaviour.ttft_s + done * behaviour.itl_s)
            done += frame.tokens
        yield replace(frame, due_s=due_s)


def _joined(frames: Iterable[Frame], events_per_write: int) -> list[Frame]:
    """Put neighbouring token events of one kind into one write, due when the first of them is."""
    found: list[Frame] = []
    events = 0
    for frame in frames:
        if found and frame.mark in TOKEN_MARKS and frame.mark is found[-1].mark and events < events_per_write:
            last = found[-1]
            found[-1] = replace(last, data=last.data + frame.data, tokens=last.tokens + frame.tokens)
            events += 1
        else:
            found.append(frame)
            events = 1
    return found
