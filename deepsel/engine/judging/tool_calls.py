"""Tool calls of one answer as they grow, and what is wrong with those that have come; pure."""

from __future__ import annotations

from dataclasses import dataclass, field

from deepsel.values import JsonObject, ToolCall, ToolCallDelta


@dataclass(slots=True)
class OpenCall:
    """One call, not yet whole."""

    id: str = ""
    name: str = ""
    pieces: list[str] = field(default_factory=list)
    """Of its arguments' JSON text."""
    provider_data: JsonObject = field(default_factory=dict)

    def take(self, event: ToolCallDelta) -> None:
        """Add a piece; id and name stand as they came first, since some hosts repeat them."""
        self.id, self.name = self.id or event.id, self.name or event.name
        self.provider_data |= event.provider_data
        if event.arguments:
            self.pieces.append(event.arguments)

    def close(self) -> ToolCall:
        """Return the call as it stands; a last piece that is whole repeats the others, which with it are no JSON."""
        call = ToolCall(self.id, self.name, "".join(self.pieces), self.provider_data)
        if len(self.pieces) > 1 and call.parsed is None:
            last = call._replace(arguments=self.pieces[-1])
            repeats = "".join(self.pieces[:-1]) == last.arguments or last.arguments.startswith(self.pieces[-2])
            if last.parsed is not None and repeats:
                return last
        return call


def is_cut(call: ToolCall) -> bool:
    """Tell whether a call's arguments break off: they begin an object and do not end it."""
    text = call.arguments.strip()
    if not text.startswith("{") or call.parsed is not None:
        return False
    depth, in_string, escaped = 0, False, False
    for char in text:
        if in_string:
            escaped, in_string = char == "\\" and not escaped, char != '"' or escaped
        elif char == '"':
            in_string = True
        else:
            depth += (char in "{[") - (char in "}]")
    return in_string or depth > 0
