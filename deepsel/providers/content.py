"""What has come of one answer, whatever its wire: characters joined, thinking parted from text, its size bounded."""

from __future__ import annotations

from deepsel.errors import AttemptFailed, ErrorClass
from deepsel.providers.boundary import cleaned
from deepsel.secret import KnownSecrets
from deepsel.surrogates import Mender
from deepsel.values import Finish, FinishReport, ReasoningDelta, TextDelta, ToolCallDelta, WireEvent
from deepsel.wires.thinking import ThinkTags

MAX_TEXT_CHARS = 32 * 1024 * 1024
"""Most text, reasoning and arguments of one answer."""

_INVISIBLE = " \t\r\n\v\f\u00a0\u00ad\u200b\u200c\u200d\u2060\ufeff"


class ComingAnswer:
    """What has come of one answer, whatever its wire."""

    def __init__(self, secrets: KnownSecrets) -> None:
        self._secrets = secrets
        self.text, self._reasoning = Mender(), Mender()
        self._calls: dict[int, Mender] = {}
        self.tags = ThinkTags()
        self.is_blank = True
        """Neither text nor a call has come."""
        self.has_reasoning = False
        self.finish: Finish | None = None
        self._size = 0

    def other(self, event: WireEvent) -> tuple[WireEvent, ...]:
        """Take an event that is no text; give it with its characters joined, and its names without secrets."""
        if isinstance(event, ReasoningDelta):
            whole = self._reasoning.feed(event.text)
            return (ReasoningDelta(whole),) if whole else ()
        if isinstance(event, ToolCallDelta):
            arguments = self._calls.setdefault(event.number, Mender()).feed(event.arguments)
            call_id, name = map(self._secrets.redacted, (event.id, event.name))
            return (event._replace(id=call_id, name=name, arguments=arguments),)
        if isinstance(event, FinishReport):
            self.finish = event.finish
        return (cleaned(event, self._secrets),)

    def note(self, piece: TextDelta | ReasoningDelta | ToolCallDelta) -> None:
        """Count a piece; raises AttemptFailed (malformed) where they are too many."""
        if isinstance(piece, TextDelta):
            self.grow(piece.text)
        elif isinstance(piece, ReasoningDelta):
            self.has_reasoning = self.has_reasoning or bool(piece.text.strip())
            self._size = _ensure_short(self._size + len(piece.text))
        else:
            self.is_blank = False
            self._size = _ensure_short(self._size + len(piece.name) + len(piece.arguments))

    def grow(self, text: str) -> None:
        """Count a piece of text; raises AttemptFailed (malformed) where it is too much."""
        self._size = _ensure_short(self._size + len(text))
        if self.is_blank:
            self.is_blank = not text.strip(_INVISIBLE)

    def flush(self) -> list[WireEvent]:
        """Give what is held back when the answer ends."""
        rest = self.text.flush()
        found: list[WireEvent] = [ReasoningDelta(thought)] if (thought := self._reasoning.flush()) else []
        found += [*(self.tags.feed(rest) if rest else ()), *self.tags.flush()]
        for piece in found:
            if isinstance(piece, (TextDelta, ReasoningDelta)):
                self.note(piece)
        return found + [ToolCallDelta(number, arguments=rest) for number, one in self._calls.items() if (rest := one.flush())]


def _ensure_short(size: int) -> int:
    """Return the characters that have come; raises AttemptFailed (malformed) where they are too many."""
    if size > MAX_TEXT_CHARS:
        raise AttemptFailed(ErrorClass.MALFORMED, f"the answer is longer than {MAX_TEXT_CHARS:,} characters")
    return size
