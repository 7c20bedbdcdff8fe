"""Reads the items of an answer on the wire `openai-responses` that are calls, as they grow and as they are repeated whole."""

from __future__ import annotations

import json
from collections.abc import Iterator

from deepsel.values import Json, JsonObject, ToolCallDelta
from deepsel.wires.fields import text


class _CallItem:
    """One call as far as it has come."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.id = ""
        self.arguments = ""


class CallItems:
    """The calls of one answer, by their place in the output, their item's id, or their own."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, Json], _CallItem] = {}
        self._latest: _CallItem | None = None
        self._count = 0

    @property
    def has_any(self) -> bool:
        """Whether a call has come."""
        return self._count > 0

    def arguments(self, document: JsonObject) -> Iterator[ToolCallDelta]:
        """Yield a piece of a call's arguments, or what all of them have beyond their pieces."""
        call = self._find(document.get("output_index"), document.get("item_id"), "")
        is_whole = text(document.get("type")).endswith("done")
        piece = _rest(call.arguments, _written(document.get("arguments"))) if is_whole else _written(document.get("delta"))
        if piece:
            call.arguments += piece
            yield ToolCallDelta(call.number, arguments=piece)

    def item(self, item: JsonObject, place: Json, *, is_done: bool) -> Iterator[ToolCallDelta]:
        """Yield what an item says of its call: id and name where it begins, and what is missing of it where it is done."""
        call_id = text(item.get("call_id")) or text(item.get("id"))
        call = self._find(place, item.get("id"), call_id)
        is_new = not call.id
        call.id = call.id or call_id or f"call_{call.number}"
        written = _written(item.get("arguments"))
        piece = _rest(call.arguments, written) if is_done or is_new else ""
        call.arguments += piece
        if is_new:
            yield ToolCallDelta(call.number, call.id, text(item.get("name")), piece)
        elif piece:
            yield ToolCallDelta(call.number, arguments=piece)

    def whole(self, output: list[Json]) -> Iterator[ToolCallDelta]:
        """Yield what the calls of a whole response have beyond what has come of them."""
        for place, item in enumerate(output):
            if isinstance(item, dict) and item.get("type") == "function_call":
                yield from self.item(item, place, is_done=True)

    def _find(self, place: Json, item_id: Json, call_id: str) -> _CallItem:
        """Find the call by any of its names, the surest first, or begin one; a piece without a name is of the latest."""
        marks = (("call", call_id), ("item", item_id), ("place", place))
        names: list[tuple[str, Json]] = [(kind, mark) for kind, mark in marks if isinstance(mark, int | str) and mark != ""]
        found = next((self._known[name] for name in names if name in self._known), None)
        if found is None and not names:
            found = self._latest
        if found is None or (call_id and found.id not in ("", call_id)):  # hosts may give every call the same place
            found = self._latest = _CallItem(self._count)
            self._count += 1
        self._known |= dict.fromkeys(names, found)
        return found


def _written(arguments: Json) -> str:
    """Return arguments, or a piece of them, as text; some hosts give them as an object."""
    if isinstance(arguments, dict):
        return json.dumps(arguments, ensure_ascii=False, separators=(",", ":")) if arguments else ""
    return text(arguments)


def _rest(so_far: str, whole: str) -> str:
    """Return what a whole text has beyond what has come of it."""
    return whole[len(so_far) :] if whole.startswith(so_far) else ""
