"""How many tokens a request is for a model: its text as the maker's chat template writes it, pictures by rule, files by a guess."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache

from deepsel.catalog import picture_rule
from deepsel.records import NamedTuple
from deepsel.tokens.counting import Count, count
from deepsel.tokens.templates.table import OF_VOCABULARY, template
from deepsel.values import Document, Image, Json, Message, Model, Request, Role, Source, Text, ToolResult
from deepsel.wires.own_words import EFFORT

IMAGE_TOKENS = 1000
"""What to expect of one picture where its maker publishes no rule; nothing is bounded by it."""
DOCUMENT_TOKENS = 3000
"""What to expect of one file of about two pages: makers count its text and a picture of each page. Nothing is bounded by it."""
_USUAL_FRAMING = (6, 4)
"""Around the first message and around a further one, where no template is known: in the middle of those that are."""
_FRAMING_DOUBT = (12, 4)
"""How far off that may be: a chat template with a hidden system text of a sentence is within it."""
_WORD = "word"
_UNKNOWN_TOOLS = 350
"""What the longest known template says around its tools."""


class ModelReader(NamedTuple):
    """What decides how many tokens a request is: models that share it count alike."""

    vocabulary: str | None
    template: str | None
    """None: not known."""
    framing_tokens: int | None
    """Around one user message, where it differs from what the template writes."""
    pictures: str | None
    thinks: bool = False
    """Whether the model is to think before it answers."""
    is_sure: bool = True
    """Whether the template is known to be this model's, not only usual with its vocabulary."""

    @property
    def of_text(self) -> ModelReader:
        """The reader that reads text alike; what stands around a request, and how pictures are counted, are left out."""
        return self._replace(framing_tokens=None, pictures=None)


class Framed(NamedTuple):
    """What comes to the texts of a request's messages: marks, roles, tools, calls, thinking, the form of the answer."""

    tokens: int
    doubt: int
    """How far off that may be, in tokens."""


def reader_of(model: Model, params: Mapping[str, Json] | None = None) -> ModelReader:
    """Return how a model reads a request with these raw members."""
    usual = OF_VOCABULARY.get(model.vocabulary or "")
    given = {**model.params, **(params or {})}
    asks = given.get(EFFORT, "none") != "none"
    thinks = asks or any(name in given and given[name] != off for name, off in (model.reasoning_off or {}).items())
    is_sure = model.template is not None or model.framing_tokens is not None
    return ModelReader(model.vocabulary, model.template or usual, model.framing_tokens, model.pictures, thinks, is_sure)


def count_request(request: Request, reader: ModelReader) -> Count:
    """Count all that a model reads of a request."""
    return _with_media(_count_text(request, reader), request, reader)


def framing_of(reader: ModelReader) -> Framed:
    """Return what stands around one user message."""
    if reader.framing_tokens is not None:
        return Framed(reader.framing_tokens, 0)
    return _framing(reader.of_text)


def framed(request: Request, reader: ModelReader, text_tokens: int) -> Framed:
    """Return what comes to the texts of a request's messages, which are `text_tokens` in the reader's vocabulary."""
    if _is_plain(request):
        return _framing_of_roles(reader.of_text, tuple(message.role for message in request.messages))
    counted = _count_text(request, reader)
    further = max(0, counted.tokens - text_tokens)
    of_text = counted.error_pct or 0.0 if counted.doubt == 0 else 0.0
    return Framed(counted.tokens - text_tokens, counted.doubt + round(further * of_text / 100))


def _is_plain(request: Request) -> bool:
    """Tell whether a request is nothing but words, so that what comes to them depends on the roles alone."""
    if request.tools or request.schema is not None:
        return False
    return all(len(message.parts) == 1 and isinstance(message.parts[0], Text) for message in request.messages)


@lru_cache(maxsize=4096)
def _framing_of_roles(reader: ModelReader, roles: tuple[Role, ...]) -> Framed:
    words = [Message.of(role, _WORD) for role in roles]
    counted = _count_text(Request(tuple(words)), reader)
    return Framed(counted.tokens - len(roles) * count(_WORD, reader.vocabulary).tokens, counted.doubt)


@lru_cache(maxsize=256)
def _framing(reader: ModelReader) -> Framed:
    counted = _count_text(Request((Message.of("user", ""),)), reader)
    return Framed(counted.tokens, counted.doubt)


def _count_text(request: Request, reader: ModelReader) -> Count:
    """Count what is no picture and no file."""
    if reader.template is None:
        return _unframed(request, reader)
    prompt = template(reader.template)(request, thinks=reader.thinks)
    counts = [count(text, reader.vocabulary) for text in prompt.texts] or [count("", reader.vocabulary)]
    content = sum(one.tokens for one in counts)
    total = content + prompt.marks
    if reader.framing_tokens is not None:
        total += reader.framing_tokens - _framing(reader.of_text).tokens
    doubt = prompt.doubt_tokens + (0 if reader.is_sure else _FRAMING_DOUBT[0])
    worst = max(counts, key=lambda one: one.error_pct or 0.0)
    # What only stands around the text does not make its count a guess; the error has it in it all the same.
    is_counted = not prompt.doubt_tokens and {one.source for one in counts} == {Source.COUNTED}
    of_texts = sum(one.tokens * (one.error_pct or 0.0) for one in counts)
    error_pct = (of_texts + 100 * doubt) / total if total else worst.error_pct
    source = Source.COUNTED if is_counted else Source.ESTIMATED
    return Count(max(0, total), source, error_pct, worst.method, doubt=doubt)


def _unframed(request: Request, reader: ModelReader) -> Count:
    """Count a request whose template nobody knows: its text, the usual framing, and a bound no byte-level vocabulary exceeds."""
    told = [tool.name + tool.description + json.dumps(tool.parameters or {}, ensure_ascii=False) for tool in request.tools]
    told += [json.dumps(request.schema, ensure_ascii=False)] if request.schema is not None else []
    texts = [*(message.readable for message in request.messages), *told]
    counts = [count(text, reader.vocabulary) for text in texts] or [count("", reader.vocabulary)]
    further = max(0, len(request.messages) - 1)
    first = _USUAL_FRAMING[0] if reader.framing_tokens is None else reader.framing_tokens
    content = sum(one.tokens for one in counts)
    total = content + first + _USUAL_FRAMING[1] * further
    slack = _FRAMING_DOUBT[1] * further + (_FRAMING_DOUBT[0] if reader.framing_tokens is None else 0) + _UNKNOWN_TOOLS * bool(told)
    doubt = sum(one.tokens * (one.error_pct or 0.0) for one in counts) + 100 * slack
    is_known = all(one.error_pct is not None for one in counts)
    size_bytes = sum(len(text.encode("utf-8", "surrogatepass")) for text in texts)
    return Count(
        total, Source.ESTIMATED, doubt / total if is_known and total else None, counts[0].method,
        bound=size_bytes + total - content + slack, doubt=slack,
    )  # fmt: skip


def _with_media(text: Count, request: Request, reader: ModelReader) -> Count:
    """Add what is no text: pictures by the model's rule, and a guess where there is none, as there is for no file."""
    parts = [part for message in request.messages for part in message.parts]
    parts += [inner for part in parts if isinstance(part, ToolResult) for inner in part.parts]
    images = [part for part in parts if isinstance(part, Image)]
    files = sum(isinstance(part, Document) and not part.text for part in parts)
    if not images and not files:
        return text
    from deepsel.tokens.pictures import TokenBounds, count_picture, picture_of

    rule = picture_rule(reader.pictures) if reader.pictures else None
    pictures = TokenBounds(0, 0)
    for image in images:
        pictures = pictures.plus(count_picture(picture_of(image), rule))
    guesses = {"pictures": IMAGE_TOKENS * len(images) if pictures.high is None else 0, "files": DOCUMENT_TOKENS * files}
    unbounded = " and ".join(name for name, guess in guesses.items() if guess)
    if unbounded:
        guessed = text.tokens + (pictures.high or 0) + sum(guesses.values())
        return Count(guessed, Source.ESTIMATED, None, f"{text.method}, {unbounded} guessed", unbounded=unbounded)
    if not images or pictures.high is None:
        return text
    source = Source.RULE if pictures.low == pictures.high else Source.AT_MOST
    return text._replace(
        tokens=text.tokens + pictures.high,
        source=Source.ESTIMATED if source is Source.RULE and text.source is Source.ESTIMATED else source,
        method=f"{text.method}, pictures by rule",
        pictures=pictures.high,
        surcharge=pictures.high if rule and rule.billed_only else 0,
    )
