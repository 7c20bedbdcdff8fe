"""What one person wants answered, before any provider is chosen."""

from __future__ import annotations

from collections.abc import Mapping

from deepsel.records import NamedTuple
from deepsel.values.parts import Document, Image, Message, Tool, ToolChoice, ToolResult
from deepsel.values.words import Json


class Given(NamedTuple):
    """A request as another program wrote it, in the form of one wire: sent as it is to hosts of that wire."""

    wire: str
    body: Mapping[str, Json]
    """Every member as it came; only the model, the bound on the answer and how it is delivered are written anew."""
    headers: Mapping[str, str] = {}
    """What of its headers goes with the body, as `anthropic-beta` does; named in lower case."""
    elsewhere: Mapping[str, Mapping[str, Json]] = {}
    """By wire: the members of a body there that say what no field of the request says. Its own wire is among them."""
    only: str = ""
    """What of it no other wire can carry, named for a person; empty: any wire will do."""
    unsayable: Mapping[str, str] = {}
    """By wire: a wish that has no form there, named for a person."""


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
    tools: tuple[Tool, ...] = ()
    tool_choice: ToolChoice | None = None
    """None: the field is not sent."""
    given: Given | None = None
    """The body that was handed over whole; None: there was none, and each wire writes its own."""

    @property
    def media(self) -> frozenset[str]:
        """The kinds of media a model has to take: among `images` and `documents`."""
        parts = [part for message in self.messages for part in message.parts]
        parts += [inner for part in parts if isinstance(part, ToolResult) for inner in part.parts]
        kinds = {Image: "images", Document: "documents"}
        return frozenset(kinds[kind] for kind in kinds if any(isinstance(part, kind) for part in parts))

    @property
    def answers(self) -> int:
        """How many answers are asked for at once, each as long as the bound allows: OpenAI's `n`."""
        wanted = self.given.body.get("n") if self.given is not None else 1
        return wanted if isinstance(wanted, int) and wanted > 1 else 1

    @property
    def asks_for_tools(self) -> bool:
        """Whether the model may answer with a tool call."""
        return bool(self.tools or self.params.get("tools"))
