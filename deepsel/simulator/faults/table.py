"""Every way to misbehave, a row each in FAULTS, which changes what is said or planned; touches no socket."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeAlias

import deepsel.simulator.faults.frames as frames_of
import deepsel.simulator.faults.odd_answers as odd
from deepsel.simulator.answers.content import compose
from deepsel.simulator.answers.errors_table import ERRORS, ErrorRow
from deepsel.simulator.answers.reply import TOKEN_MARKS, Content, Frame, Mark, Reply
from deepsel.simulator.answers.tokens import pieces
from deepsel.simulator.replies import JSON, Scene, error_body, error_reply, stream_reply, whole_reply
from deepsel.simulator.wires.sse import compact

ContentChange: TypeAlias = Callable[[Content], Content]
ReplyChange: TypeAlias = Callable[[Reply, Scene], Reply]

# One character of the answer that stands for bytes no JSON writer would produce.
_MARKER = "\uf8ff"
_LATE_TEXT = " Simulated text after the end."


@dataclass(frozen=True, slots=True)
class Fault:
    """One way to misbehave."""

    name: str
    description: str
    content: ContentChange | None = None
    """Changes what is said."""
    reply: ReplyChange | None = None
    """Changes the planned response."""
    stream: bool | None = None
    """Streams, or not, whatever was asked; None: as asked."""
    at_accept: Mark | None = None
    """What a new connection meets before any request is read; None: nothing."""


def planned(scene: Scene, name: str | None, cached_tokens: int) -> Reply:
    """Plan the response to one request, with the named fault in it."""
    fault = FAULTS[name] if name else _NONE
    content = compose(scene.ask, scene.behaviour, call_id=scene.request_id, cached_tokens=cached_tokens)
    content = replace(content, created=int(scene.now.timestamp()))
    if fault.content:
        content = fault.content(content)
    streams = scene.ask.stream if fault.stream is None else fault.stream
    reply = stream_reply(scene, content) if streams else whole_reply(scene, content)
    return fault.reply(reply, scene) if fault.reply else reply


# --- what is said ----------------------------------------------------------------------------------------------------


def _half(text: str) -> str:
    """Give the first half of a text's tokens."""
    tokens = pieces(text)
    return "".join(tokens[: len(tokens) // 2])


def _empty(content: Content) -> Content:
    return replace(content, text="", reasoning="")


def _cut_short(content: Content) -> Content:
    return replace(content, text=_half(content.text), finish="length")


def _cut_with_stop(content: Content) -> Content:
    return replace(content, text=_half(content.text), finish="complete")


def _reasoning_only(content: Content) -> Content:
    reasoning = content.reasoning or "Simulated reasoning that used the whole allowance."
    return replace(content, text="", reasoning=reasoning, finish="length")


def _refused(content: Content) -> Content:
    return replace(content, text="Simulated refusal: I cannot help with that.", finish="refused")


def _filtered(content: Content) -> Content:
    return replace(content, text=_half(content.text), finish="filtered")


def _no_finish(content: Content) -> Content:
    return replace(content, finish="missing")


def _no_usage(content: Content) -> Content:
    return replace(content, usage="none")


def _marked(content: Content) -> Content:
    """Put the marker into the middle of the text."""
    half = _half(content.text)
    return replace(content, text=half + _MARKER + content.text[len(half) :])


# --- what is planned -------------------------------------------------------------------------------------------------


def _invalid_utf8(reply: Reply, _scene: Scene) -> Reply:
    return frames_of.spliced(reply, _MARKER.encode(), b"\xff\xc3(")


def _huge(reply: Reply, scene: Scene) -> Reply:
    return frames_of.spliced(reply, _MARKER.encode(), b"x" * scene.behaviour.fault_bytes)


def _refuse(_reply: Reply, scene: Scene, *, row: ErrorRow) -> Reply:
    return error_reply(scene, row, scene.behaviour.retry_after_s)


def _error_inside(reply: Reply, scene: Scene, *, middle: bool) -> Reply:
    """Put an error into a 200: in a stream as its last event, else as the body."""
    body = error_body(scene, ERRORS[scene.behaviour.fault_error], scene.behaviour.retry_after_s)
    if reply.framing == "length":
        return replace(reply, frames=(replace(reply.frames[0], data=compact(body)),))
    at = frames_of.middle(reply.frames) if middle else 0
    event = Frame(scene.wire.error_event(body), Mark.NOISE, due_s=reply.frames[at].due_s)
    return replace(reply, frames=(*reply.frames[:at], event))


def _comments(reply: Reply, scene: Scene, *, blank: bool, endless: bool) -> Reply:
    """Let comments (blank lines before a body that is not streamed) come before the first token."""
    data = b"\n" if blank or reply.framing == "length" else scene.wire.KEEP_ALIVE
    behaviour = scene.behaviour
    interval_s = behaviour.fault_interval_s
    return frames_of.delayed(reply, data, count=None if endless else behaviour.fault_count, interval_s=interval_s)


def _empty_deltas(reply: Reply, scene: Scene) -> Reply:
    """Let events that say nothing come before the first token of a stream, and between any two."""
    marks = {frame.mark for frame in reply.frames} & TOKEN_MARKS
    if not marks:
        return reply
    content = Content(scene.request_id, scene.ask.model, "", created=int(scene.now.timestamp()))
    first, second = (scene.wire.empty_deltas(content, block) for block in (0, 1))
    noise = {Mark.REASONING: first, Mark.TEXT: second if Mark.REASONING in marks else first}
    behaviour = scene.behaviour
    return frames_of.delayed(
        frames_of.interleaved(reply, noise), first, count=behaviour.fault_count, interval_s=behaviour.fault_interval_s
    )


def _html(_reply: Reply, _scene: Scene) -> Reply:
    page = b"<!doctype html><title>Simulated</title><p>Simulated sign-in page of a proxy.</p>\n"
    return Reply(200, {"content-type": "text/html; charset=utf-8"}, (Frame(page, Mark.BODY),))


def _wrong_type(reply: Reply, _scene: Scene) -> Reply:
    return replace(reply, headers={**reply.headers, "content-type": "text/plain"})


def _huge_headers(reply: Reply, scene: Scene) -> Reply:
    size = min(scene.behaviour.fault_bytes, 1 << 20)
    return replace(reply, headers={**reply.headers, "x-filler": "x" * size})


def _no_content(_reply: Reply, _scene: Scene) -> Reply:
    return Reply(204, {}, framing="none")


def _redirect(_reply: Reply, scene: Scene) -> Reply:
    return Reply(307, {"location": scene.behaviour.redirect_to, "content-type": JSON}, (Frame(b"{}", Mark.BODY),))


def _bomb(reply: Reply, scene: Scene) -> Reply:
    lines = Frame(b"\n" * scene.behaviour.fault_bytes, Mark.NOISE)
    return frames_of.compressed(replace(reply, frames=(lines, *reply.frames)))


def _text_after_end(reply: Reply, scene: Scene) -> Reply:
    """Let more text follow the end: as events after a stream, as plain text after a body."""
    if reply.framing == "length":
        body = reply.frames[0]
        return replace(reply, frames=(replace(body, data=body.data + _LATE_TEXT.encode()),))
    content = Content(id=scene.request_id, model=scene.ask.model, text=_LATE_TEXT)
    events = scene.wire.events(content, chunk_tokens=1)
    late = [replace(event, due_s=reply.frames[-1].due_s) for event in events if event.mark is Mark.TEXT]
    return replace(reply, frames=(*reply.frames, *late))


def _close_after(reply: Reply, _scene: Scene) -> Reply:
    return replace(reply, close_after=True)


def _plain(change: Callable[[Reply], Reply]) -> ReplyChange:
    """Make a row's function of one that needs no scene."""
    return lambda reply, _scene: change(reply)


def _stop(point: str, act: Mark) -> ReplyChange:
    """Make a row's function that stops at a point of the response."""
    return lambda reply, _scene: frames_of.stopped(reply, point, act)


# --- the table -------------------------------------------------------------------------------------------------------

_POINTS = {
    "at_accept": "as soon as it is accepted",
    "before_headers": "when the request has been read",
    "in_headers": "in the middle of the head",
    "before_first_token": "after the head, before the first token",
    "mid_event": "in the middle of an event or body",
    "before_end": "after the last token, before finish value and end marker",
}
_ACTS = {
    "disconnect": (Mark.CUT, "the connection is shut down"),
    "hang": (Mark.HANG, "nothing more is written, the connection stays open"),
}
_CUT_NAMES = {"disconnect_mid_event": "cut_mid_event", "disconnect_before_end": "cut_before_end"}

_dropped = frames_of.without
_ROWS = (
    Fault("reset_mid_event", "the connection is reset in the middle of an event or body",
          reply=_stop("mid_event", Mark.RESET)),
    Fault("close_after_answer", "the answer is whole, then the kept connection is closed", reply=_close_after),
    Fault("clean_end_without_finish", "the stream ends well but has no finish value and no end marker", _no_finish,
          reply=_plain(partial(_dropped, marks=(Mark.FINISH, Mark.USAGE, Mark.END)))),
    Fault("done_without_finish", "the end marker comes, a finish value never does", _no_finish,
          reply=_plain(partial(_dropped, marks=(Mark.FINISH,)))),
    Fault("finish_without_done", "the finish value comes, the end marker never does",
          reply=_plain(partial(_dropped, marks=(Mark.END,)))),
    Fault("role_chunk_only", "the opening events and the end marker, nothing between", _empty,
          reply=_plain(partial(_dropped, marks=(Mark.FINISH, Mark.USAGE)))),
    Fault("trailing_text_after_done", "text follows the end marker or the JSON body", reply=_text_after_end),
    Fault("keep_alive_comments",
          "`fault_count` comments or pings come before the first token, blank lines before a body",
          reply=partial(_comments, blank=False, endless=False)),
    Fault("keep_alive_endless", "comments or pings come for ever, a token never",
          reply=partial(_comments, blank=False, endless=True)),
    Fault("blank_lines", "`fault_count` blank lines come before the body or the first event",
          reply=partial(_comments, blank=True, endless=False)),
    Fault("empty_deltas",
          "deltas without text or reasoning come `fault_count` times before the first token of a stream, and between any two",
          reply=_empty_deltas),
    Fault("error_event_first", "a 200 whose first event or body is the error `fault_error`",
          reply=partial(_error_inside, middle=False)),
    Fault("error_event_middle", "a 200 whose stream breaks off with the error `fault_error`",
          reply=partial(_error_inside, middle=True)),
    Fault("malformed_event", "an event or body in the middle is half a JSON document",
          reply=_plain(frames_of.malformed)),
    Fault("huge_event", "an event or body of more than `fault_bytes`", _marked, _huge),
    Fault("huge_headers", "a header of `fault_bytes`, at most 1 MiB", reply=_huge_headers),
    Fault("invalid_utf8", "bytes in the text are not UTF-8", _marked, _invalid_utf8),
    Fault("gzip", "compressed, whether accepted or not", reply=_plain(frames_of.compressed)),
    Fault("gzip_bomb", "a few bytes that decompress to more than `fault_bytes`", reply=_bomb),
    Fault("byte_order_mark", "a byte-order mark leads the body", reply=_plain(frames_of.with_byte_order_mark)),
    Fault("crlf_lines", "lines end in CRLF", reply=_plain(frames_of.with_crlf)),
    Fault("single_bytes", "every byte is written alone", reply=_plain(frames_of.in_single_bytes)),
    Fault("html_200", "a web page with status 200", reply=_html),
    Fault("json_instead_of_stream", "one JSON body where a stream was asked", stream=False),
    Fault("stream_instead_of_json", "a stream where one JSON body was asked", stream=True),
    Fault("wrong_content_type", "a good answer called text/plain", reply=_wrong_type),
    Fault("empty_answer", "a whole answer without text", _empty),
    Fault("length", "half the answer, finish value for the token limit", _cut_short),
    Fault("cut_with_stop", "half the answer, finish value for a whole one", _cut_with_stop),
    Fault("reasoning_only_length", "reasoning used the whole allowance: no text, finish value for the limit",
          _reasoning_only),
    Fault("refusal", "the model refuses, with status 200", _refused),
    Fault("content_filter", "a filter stops the answer half way", _filtered),
    Fault("no_usage", "no token counts, though asked for", _no_usage),
    Fault("usage_in_finish_chunk", "token counts come in the event of the finish value", odd.usage_in_finish),
    Fault("finish_on_every_event", "every event of a streamed text has the finish value", reply=odd.finish_on_every_event),
    Fault("message_at_end", "a stream ends with the whole message again", reply=partial(odd.repeated_at_end, as_message=True)),
    Fault("text_at_end", "the last delta of a stream is the whole text again",
          reply=partial(odd.repeated_at_end, as_message=False)),
    Fault("snapshots", "every delta of a stream repeats all that came before it", reply=odd.snapshots),
    Fault("reasoning_only", "the answer stands where reasoning belongs, finish value for a whole one", odd.reasoning_only),
    Fault("think_tags", "the text begins with reasoning between tags", odd.think_tags),
    Fault("lone_think_end", "the text begins with reasoning that only a closing tag ends", odd.lone_think_end),
    Fault("unended_event", "the last event of a stream has no blank line behind it", reply=odd.unended),
    Fault("comments_as_data", "keep-alive comments come as data of events", reply=partial(odd.noise, data=b"data: : simulated\n\n")),
    Fault("null_events", "events whose data is null come before the first token", reply=partial(odd.noise, data=b"data: null\n\n")),
    Fault("doubled_data", "every event's line begins with `data:` twice", reply=odd.doubled_data),
    Fault("empty_error", "every document has an error member that says nothing", reply=odd.empty_error),
    Fault("finish_in_capitals", "the finish value is spelled in capitals", reply=partial(odd.respelled, spell=str.upper)),
    Fault("unknown_finish", "the finish value is a word nobody knows",
          reply=partial(odd.respelled, spell=lambda _: odd.UNKNOWN_FINISH)),
    Fault("usage_in_choice", "token counts stand inside the choice", odd.usage_in_finish, odd.usage_in_choice),
    Fault("zeros_after_usage", "token counts come, then zeros", reply=odd.zeros_after_usage),
    Fault("zero_usage", "every token count is zero", reply=partial(odd.usage_of, tokens=0)),
    Fault("absurd_usage", "every token count is 900 million", reply=partial(odd.usage_of, tokens=odd.ABSURD_TOKENS)),
    Fault("reasoning_beside", "reasoning is counted beside the completion, only the total tells", odd.with_reasoning,
          odd.reasoning_beside),
    Fault("dropped_prompt", "a tenth of the prompt is counted, as if the rest had been dropped", reply=odd.dropped_prompt),
    Fault("204", "status 204, no body", reply=_no_content),
    Fault("redirect", "status 307 to `redirect_to`", reply=_redirect),
)  # fmt: skip


def _table() -> dict[str, Fault]:
    """Lay out all rows: the errors, an act at each point, and the rest."""
    faults = [Fault(name, row.message, reply=partial(_refuse, row=row)) for name, row in ERRORS.items()]
    for act, (mark, does) in _ACTS.items():
        for point, when in _POINTS.items():
            name = f"{act}_{point}"
            change = _stop(point, mark)
            at_accept = mark if point == "at_accept" else None
            name = _CUT_NAMES.get(name, name)
            faults.append(Fault(name, f"{does} {when}", reply=change, at_accept=at_accept))
    return {fault.name: fault for fault in (*faults, *_ROWS)}


_NONE = Fault("", "")
FAULTS: Mapping[str, Fault] = _table()
