"""How many tokens a request is for a model: its text as the maker's chat template writes it, pictures by rule, files by a guess."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple

from deepsel.catalog import picture_rule
from deepsel.tokens.counting import Count, count
from deepsel.tokens.pictures import Bounds, count_picture, picture_of
from deepsel.tokens.templates.prompt import Prompt
from deepsel.tokens.templates.table import OF_VOCABULARY, TEMPLATES
from deepsel.values import Document, Image, Json, Message, Model, Request, Source, ToolResult

IMAGE_TOKENS = 1000
"""What to expect of one picture where its maker publishes no rule; nothing is bounded by it."""
DOCUMENT_TOKENS = 3000
"""What to expect of one file of about two pages: makers count its text and a picture of each page. Nothing is bounded by it."""
_USUAL_FRAMING = (6, 4)
"""Around the first message and around a further one, where no template is known: in the middle of those that are."""
_FRAMING_DOUBT = (12, 4)
"""How far off that may be: a chat template with a hidden system text of a sentence is within it."""
_UNKNOWN_TOOLS = 350
"""What the longest known template says around its tools."""


class Reader(NamedTuple):
    """What decides how many tokens a request is: models that share it count alike."""

    vocabulary: str | None
    template: str | None
    """None: not known."""
    framing_tokens: int | None
    """Around one user message, where it differs from what the template writes."""
    pictures: str | None
    thinks: bool
    """Whether the model is to think before it answers."""


def reader_of(model: Model, params: Mapping[str, Json] | None = None) -> Reader:
    """Return how a model reads a request with these raw members."""
    template = model.template or OF_VOCABULARY.get(model.vocabulary or "")
    given = {**model.params, **(params or {})}
    thinks = any(name in given and given[name] != off for name, off in (model.reasoning_off or {}).items())
    return Reader(model.vocabulary, template, model.framing_tokens, model.pictures, thinks)


def count_request(request: Request, reader: Reader) -> Count:
    """Count all that a model reads of a request."""
    if reader.template is None:
        return _with_media(_unframed(request, reader), request, reader)
    prompt = TEMPLATES[reader.template](request, thinks=reader.thinks)
    return _with_media(_counted(prompt, reader), request, reader)


def _counted(prompt: Prompt, reader: Reader) -> Count:
    """Count a prompt as a template wrote it."""
    counts = [count(text, reader.vocabulary) for text in prompt.texts] or [count("", reader.vocabulary)]
    content = sum(one.tokens for one in counts)
    total = content + prompt.marks
    if reader.framing_tokens is not None:
        total += reader.framing_tokens - framing_of(reader._replace(framing_tokens=None))
    doubt = sum(one.tokens * (one.error_pct or 0.0) for one in counts) + 100 * prompt.doubt_tokens
    worst = max(counts, key=lambda one: one.error_pct or 0.0)
    is_exact = not prompt.doubt_tokens and {one.source for one in counts} == {Source.COUNTED}
    error_pct = 0.0 if is_exact else doubt / content if content else worst.error_pct
    return Count(max(0, total), Source.COUNTED if is_exact else Source.ESTIMATED, error_pct, worst.method)


@lru_cache(maxsize=256)
def framing_of(reader: Reader) -> int:
    """Return what stands around one user message, in tokens."""
    if reader.framing_tokens is not None or reader.template is None:
        return _USUAL_FRAMING[0] if reader.framing_tokens is None else reader.framing_tokens
    prompt = TEMPLATES[reader.template](Request((Message.of("user", ""),)), thinks=reader.thinks)
    return prompt.marks + sum(count(text, reader.vocabulary).tokens for text in prompt.texts)


def _unframed(request: Request, reader: Reader) -> Count:
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
        bound=size_bytes + total - content + slack,
    )  # fmt: skip


def _with_media(text: Count, request: Request, reader: Reader) -> Count:
    """Add what is no text: pictures by the model's rule, and a guess where there is none, as there is for no file."""
    parts = [part for message in request.messages for part in message.parts]
    parts += [inner for part in parts if isinstance(part, ToolResult) for inner in part.parts]
    images = [part for part in parts if isinstance(part, Image)]
    files = sum(isinstance(part, Document) and not part.text for part in parts)
    rule = picture_rule(reader.pictures) if reader.pictures else None
    pictures = Bounds(0, 0)
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
    return replace(
        text,
        tokens=text.tokens + pictures.high,
        source=Source.ESTIMATED if source is Source.RULE and text.source is Source.ESTIMATED else source,
        method=f"{text.method}, pictures by rule",
        pictures=pictures.high,
        surcharge=pictures.high if rule and rule.billed_only else 0,
    )
