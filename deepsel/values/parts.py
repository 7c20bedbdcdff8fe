"""What a message is made of: parts in the order they were given.

`provider_data` holds members no field stands for. They go back as they came, on the wire in whose form they are written
(`Message.form`), and on no other.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

from deepsel.records import NamedTuple
from deepsel.values.words import Json, JsonObject

Role: TypeAlias = Literal["system", "developer", "user", "assistant", "tool"]


class Text(NamedTuple):
    """Words."""

    text: str
    provider_data: Mapping[str, Json] = {}

    def __eq__(self, other: object) -> bool:
        """Tell it from a Thinking, which as a tuple would be the same."""
        return type(other) is Text and tuple(self) == tuple(other)

    def __ne__(self, other: object) -> bool:
        """Say the opposite."""
        return not self == other


class Thinking(NamedTuple):
    """What a model thought before it answered; goes back to the wire it came from, never to another."""

    text: str
    """Empty where the provider keeps it to itself."""
    provider_data: Mapping[str, Json] = {}
    """A signature, what is encrypted or redacted, or the member it came in."""

    def __eq__(self, other: object) -> bool:
        """Tell it from a Text."""
        return type(other) is Thinking and tuple(self) == tuple(other)

    def __ne__(self, other: object) -> bool:
        """Say the opposite."""
        return not self == other


class Image(NamedTuple):
    """A picture."""

    media_type: str
    """For example `image/png`; empty where `url` is a link the provider fetches."""
    url: str
    """A `data:` URL with base64 content, or an http(s) link."""
    provider_data: Mapping[str, Json] = {}


class Document(NamedTuple):
    """A file that is no picture: a PDF, or a text given as a document of its own."""

    media_type: str
    """For example `application/pdf`; empty where `url` is a link the provider fetches."""
    url: str
    """A `data:` URL with base64 content, or an http(s) link; empty for a text."""
    text: str = ""
    name: str = ""
    provider_data: Mapping[str, Json] = {}


class ToolCall(NamedTuple):
    """A call the model wants made."""

    id: str
    """Names the call to its result; empty in the old form of a call, `function_call`."""
    name: str
    arguments: str
    """JSON text, as the model wrote it."""
    provider_data: Mapping[str, Json] = {}

    @property
    def parsed(self) -> JsonObject | None:
        """The arguments as an object, without members where there are none; None: they are no JSON object."""
        from deepsel.jsontext import loads

        try:
            value = loads(self.arguments) if self.arguments.strip() else {}
        except ValueError:
            return None
        return value if isinstance(value, dict) else None


class ToolResult(NamedTuple):
    """What a call brought."""

    call_id: str
    """The ToolCall's id."""
    parts: tuple[Text | Image | Document, ...]
    is_error: bool | None = None
    """None: not said."""
    name: str = ""
    """The tool's, where it was given."""
    provider_data: Mapping[str, Json] = {}


Part: TypeAlias = Text | Thinking | Image | Document | ToolCall | ToolResult


class Message(NamedTuple):
    """One turn of a conversation."""

    role: Role
    parts: tuple[Part, ...]
    """In the order they were given."""
    provider_data: Mapping[str, Json] = {}
    form: str = ""
    """The wire in whose form the provider data of the message and its parts is written; empty: every wire's."""

    @classmethod
    def of(cls, role: Role, text: str, *further: Part) -> Message:
        """Make a message of words, and what comes after them."""
        return cls(role, (Text(text), *further))

    @property
    def text(self) -> str:
        """Its words, joined without a break, as providers join them; neither thinking nor what tools were told."""
        return "".join(part.text for part in self.parts if isinstance(part, Text))

    @property
    def readable(self) -> str:
        """All text a model reads of it: words, thinking, documents, calls and their results."""
        return "".join(map(readable_text, self.parts))


def readable_text(part: Part) -> str:
    """Return all text a model reads of a part; empty for a picture."""
    match part:
        case Text() | Thinking() | Document():
            return part.text
        case ToolCall():
            return part.name + part.arguments
        case ToolResult():
            return "".join(map(readable_text, part.parts))
        case Image():
            return ""


class Tool(NamedTuple):
    """What a model may call."""

    name: str
    description: str = ""
    parameters: Mapping[str, Json] | None = None
    """A JSON Schema of its arguments; None: it takes none."""
    strict: bool | None = None
    """Whether arguments have to satisfy the schema; None: not said."""
    provider_data: Mapping[str, Json] = {}
    form: str = ""
    """As of a Message."""


class ToolChoice(NamedTuple):
    """Whether a model has to call a tool."""

    mode: Literal["auto", "none", "required", "named"]
    name: str = ""
    """The tool's, where `mode` is `named`."""
