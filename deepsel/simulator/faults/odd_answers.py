"""Changes of what is said, and of the documents in a planned response; a row of `table` each."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeAlias

import deepsel.simulator.faults.frames as frames_of
from deepsel.simulator.answers.reply import Content, Frame, Mark, Reply
from deepsel.simulator.replies import Scene
from deepsel.simulator.wires.sse import compact
from deepsel.simulator.wires.sse import event as written

Document: TypeAlias = dict[str, Any]
Edit: TypeAlias = Callable[[Document], list[Document]]
"""Gives what stands in place of one document."""

THOUGHT = "Simulated reasoning about the request."
ABSURD_TOKENS = 900_000_000
UNKNOWN_FINISH = "simulated_end"


def edited(reply: Reply, edit: Edit, marks: frozenset[Mark] | None = None) -> Reply:
    """Change the documents of a response: of every event, or of those of some kinds, or of its body."""
    return replace(reply, frames=tuple(_edited(one, edit) if marks is None or one.mark in marks else one for one in reply.frames))


def _edited(frame: Frame, edit: Edit) -> Frame:
    if frame.mark is Mark.BODY:
        return replace(frame, data=compact(edit(json.loads(frame.data))[0]))
    events = []
    for event in frame.data.split(b"\n\n")[:-1]:
        lead, _, data = event.rpartition(b"data: ")
        documents = edit(json.loads(data)) if data.startswith(b"{") else None
        if documents is None:
            events.append(event + b"\n\n")
        else:
            events += [written(one, one.get("type") if lead else None) for one in documents]
    return replace(frame, data=b"".join(events))


def _choice(document: Document) -> Document:
    found: Document = next(iter(document.get("choices") or [{}]))
    return found


def _said(document: Document) -> str:
    """Return the text of one event."""
    if isinstance(document.get("delta"), str):
        return str(document["delta"]) if document.get("type") == "response.output_text.delta" else ""
    if document.get("type") == "content_block_delta":
        return str(document["delta"].get("text") or "")
    return str(_choice(document).get("delta", {}).get("content") or "")


def _saying(document: Document, text: str) -> Document:
    """Return the event with another text."""
    if isinstance(document.get("delta"), str):
        return {**document, "delta": text}
    if "type" in document:
        return {**document, "delta": {**document["delta"], "text": text}}
    choice = _choice(document)
    return {**document, "choices": [{**choice, "delta": {**choice["delta"], "content": text}}]}


# --- the end ---------------------------------------------------------------------------------------------------------


def finish_on_every_event(reply: Reply, _scene: Scene) -> Reply:
    """Call the answer finished with each event of its text."""

    def edit(document: Document) -> list[Document]:
        """Add the finish value."""
        if not _said(document):
            return [document]
        if "type" in document:
            return [document, {"type": "message_delta", "delta": {"stop_reason": "end_turn"}}]
        return [{**document, "choices": [{**_choice(document), "finish_reason": "stop"}]}]

    return edited(reply, edit, frozenset({Mark.TEXT}))


def respelled(reply: Reply, _scene: Scene, *, spell: Callable[[str], str]) -> Reply:
    """Spell the finish value in another way."""

    def edit(document: Document) -> list[Document]:
        """Change it where it stands."""
        place = document if "stop_reason" in document else document.get("delta", _choice(document))
        place = place if isinstance(place, dict) else {}
        for name in ("finish_reason", "stop_reason"):
            if place.get(name):
                place[name] = spell(place[name])
        response = document.get("response", document)
        if response.get("object") == "response" and response["status"] != "in_progress":
            response["status"] = spell(response["status"])
        return [document]

    return edited(reply, edit)


def unended(reply: Reply, _scene: Scene) -> Reply:
    """End with the finish value's event, or the end marker that is an event of its own, and with no blank line."""
    if reply.framing == "length":
        return reply
    is_marked = not reply.frames[-1].data.startswith(b"data: [")
    kept = reply if is_marked else frames_of.without(reply, (Mark.USAGE, Mark.END))
    last = kept.frames[-1]
    return replace(kept, frames=(*kept.frames[:-1], replace(last, data=last.data.rstrip(b"\n") + b"\n")))


# --- the text --------------------------------------------------------------------------------------------------------


def snapshots(reply: Reply, _scene: Scene) -> Reply:
    """Let each event of the text repeat all that came before it."""
    so_far = ""

    def edit(document: Document) -> list[Document]:
        """Put what has come before the piece."""
        nonlocal so_far
        so_far += _said(document)
        return [_saying(document, so_far)]

    return edited(reply, edit, frozenset({Mark.TEXT}))


def repeated_at_end(reply: Reply, scene: Scene, *, as_message: bool) -> Reply:
    """Say the whole text again right before the finish value: as a message, or as one more delta."""
    texts = [one for one in reply.frames if one.mark is Mark.TEXT]
    if not texts:
        return reply
    whole, last = "", {}

    def read(document: Document) -> list[Document]:
        """Keep what is said."""
        nonlocal whole, last
        whole, last = whole + _said(document), document
        return [document]

    edited(reply, read, frozenset({Mark.TEXT}))
    if not as_message:
        again = _saying(last, whole)
    elif "type" in last:
        again = {**scene.wire.whole(Content(scene.request_id, scene.ask.model, whole)), "usage": {}}
    else:
        message = {"role": "assistant", "content": whole}
        again = {**last, "choices": [{"index": 0, "message": message, "finish_reason": None}]}
    at = next(number for number, one in enumerate(reply.frames) if one.mark is Mark.FINISH)
    kind = again.get("type")
    if as_message and kind:  # it ends the stream, so that the usage has to come before it
        at += 1
    frame = Frame(written(again, kind), Mark.NOISE, due_s=reply.frames[at - 1].due_s)
    return replace(reply, frames=(*reply.frames[:at], frame, *reply.frames[at:]))


def reasoning_only(content: Content) -> Content:
    """Put the answer where the reasoning belongs."""
    return replace(content, text="", reasoning=content.text or THOUGHT)


def with_reasoning(content: Content) -> Content:
    """Show some reasoning before the answer."""
    return replace(content, reasoning=content.reasoning or THOUGHT)


def usage_in_finish(content: Content) -> Content:
    """Report usage in the finish value's event."""
    return replace(content, usage="finish_event")


def think_tags(content: Content) -> Content:
    """Write reasoning into the text, between tags."""
    return replace(content, text=f"<think>\n{THOUGHT}\n</think>\n\n{content.text}")


def lone_think_end(content: Content) -> Content:
    """Write reasoning into the text, whose opening tag stood in the prompt."""
    return replace(content, text=f"{THOUGHT}\n</think>\n\n{content.text}")


# --- the form --------------------------------------------------------------------------------------------------------


def noise(reply: Reply, scene: Scene, *, data: bytes) -> Reply:
    """Let events that are none come before the first token; nothing in a body."""
    if reply.framing == "length":
        return reply
    behaviour = scene.behaviour
    return frames_of.delayed(reply, data, count=behaviour.fault_count, interval_s=behaviour.fault_interval_s)


def doubled_data(reply: Reply, _scene: Scene) -> Reply:
    """Write the name of a data line twice."""
    return reply if reply.framing == "length" else frames_of.spliced(reply, b"data: ", b"data: data: ")


def empty_error(reply: Reply, _scene: Scene) -> Reply:
    """Add an error member that says nothing to every document."""
    return edited(reply, lambda document: [{**document, "error": {"message": "", "code": None}}])


# --- the usage -------------------------------------------------------------------------------------------------------


def _with_usage(reply: Reply, change: Callable[[Document], Mapping[str, Any]]) -> Reply:
    def edit(document: Document) -> list[Document]:
        """Change usage where it stands."""
        for place in (document, document.get("message", {}), document.get("response", {})):
            if place.get("usage"):
                place["usage"] = {**place["usage"], **change(place["usage"])}
        return [document]

    return edited(reply, edit)


def usage_of(reply: Reply, _scene: Scene, *, tokens: int) -> Reply:
    """Report the same number, whatever was read and written."""
    names = ("prompt_tokens", "completion_tokens", "total_tokens", "input_tokens", "output_tokens")
    return _with_usage(reply, lambda usage: {name: tokens for name in names if name in usage})


def dropped_prompt(reply: Reply, _scene: Scene) -> Reply:
    """Report that a tenth of the prompt was read."""
    names = ("prompt_tokens", "input_tokens")
    return _with_usage(reply, lambda usage: {name: max(1, usage[name] // 10) for name in names if name in usage})


def reasoning_beside(reply: Reply, _scene: Scene) -> Reply:
    """Count reasoning beside the completion and not in it; on the other wire there is no such count."""

    def change(usage: Document) -> Mapping[str, Any]:
        """Take it out."""
        thought = usage.get("completion_tokens_details", {}).get("reasoning_tokens", 0)
        return {"completion_tokens": usage["completion_tokens"] - thought} if thought else {}

    return _with_usage(reply, change)


def usage_in_choice(reply: Reply, _scene: Scene) -> Reply:
    """Report usage inside the choice of the finish value's event; on the other wire where it always stands."""

    def edit(document: Document) -> list[Document]:
        """Move it."""
        if "usage" in document and document.get("choices"):
            _choice(document)["usage"] = document.pop("usage")
        return [document]

    return edited(reply, edit)


def zeros_after_usage(reply: Reply, _scene: Scene) -> Reply:
    """Let a report of nothing follow the real one."""

    def edit(document: Document) -> list[Document]:
        """Repeat it with zeros."""
        usage = document.get("usage")
        if not usage:
            return [document]
        return [document, {**document, "usage": {name: 0 for name, count in usage.items() if isinstance(count, int)}}]

    return reply if reply.framing == "length" else edited(reply, edit, frozenset({Mark.USAGE, Mark.FINISH}))
