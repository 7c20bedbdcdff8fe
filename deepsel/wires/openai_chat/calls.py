"""Reads pieces of tool calls on the wire `openai-chat`, also where a host leaves their index out or gives all the same."""

from __future__ import annotations

import json

from deepsel.values import Json, JsonObject, ToolCallDelta
from deepsel.wires.fields import child, items, text


class CallNumbers:
    """Numbers the calls of one answer: by index, where that tells them apart, else by id."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[Json, str], int] = {}
        self._latest: dict[Json, int] = {}
        """By index: the call whose pieces come under it now."""
        self._has_deltas = False

    def pieces(self, delta: JsonObject) -> list[ToolCallDelta]:
        """Read what a delta says of calls."""
        if "tool_calls" not in delta and "function_call" not in delta:  # as in nearly every chunk
            return []
        found = self._read(delta)
        self._has_deltas = self._has_deltas or bool(found)
        return found

    def whole(self, message: JsonObject) -> list[ToolCallDelta]:
        """Read what a whole message says of calls; where deltas have said it, it only repeats them."""
        return [] if self._has_deltas else self._read(message)

    def _read(self, delta: JsonObject) -> list[ToolCallDelta]:
        found = [self._piece(item) for item in items(delta.get("tool_calls")) if isinstance(item, dict) and item]
        if old := child(delta, "function_call"):
            found.append(self._piece({"function": old}))
        return found

    def _piece(self, item: JsonObject) -> ToolCallDelta:
        function = child(item, "function")
        index, call_id, name = item.get("index"), text(item.get("id")), text(function.get("name"))
        index = index if isinstance(index, int) else None
        known = ("index", "id", "type", "function")
        data = {key: value for key, value in item.items() if key not in known and value is not None}
        return ToolCallDelta(self._number(index, call_id, name), call_id, name, _arguments(function), data)

    def _number(self, index: int | None, call_id: str, name: str) -> int:
        """Find the call a piece belongs to: one with a name and an id of its own, or no index, begins another."""
        begins = index not in self._latest or (index is None and name and not call_id)
        if call_id and (index, call_id) in self._numbers:
            return self._numbers[index, call_id]
        if begins or (call_id and name):
            number = len(self._numbers)
            self._numbers[index, call_id or f"#{number}"] = number
            self._latest[index] = number
        return self._latest[index]


def _arguments(function: JsonObject) -> str:
    """Return a piece of the arguments' text; some hosts give them as an object."""
    arguments = function.get("arguments")
    if isinstance(arguments, dict):
        return json.dumps(arguments, ensure_ascii=False, separators=(",", ":"))
    return text(arguments)
