"""What of a body a host refuses by name although nobody asked for it, and the rows that send it no more; pure.

A change is what deepsel can take back of what it adds by itself: `temperature`, `seed`, `stream_options`, `reasoning_off`, a form
of the answer (`json_schema`, `json_object`); the name of the bound on the answer (`max_tokens_field`); what a host says of its
size (`context_window`, `max_output`). What the user has set is never taken back, but for a parameter on a fall-back (`param`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from deepsel.errors import AttemptFailed, ErrorClass
from deepsel.records import NamedTuple
from deepsel.values import Json, JsonObject, Model, Provider
from deepsel.wires.fields import child

_STATUSES = frozenset({200, 400, 422, 500})
"""The last one is a gateway's, around the 400 of its upstream."""
_CLASSES = frozenset({ErrorClass.BAD_REQUEST, ErrorClass.CONTEXT_OVERFLOW, ErrorClass.SERVER})
_FORM_WORDS = (
    *("response_format", "text.format", "json_schema", "json_object", "output_config", "output_format", "structured output"),
    *("response_schema", "json schema", "grammar", "xgrammar", "guided decoding"),
)
_THIS_SCHEMA = re.compile(r"invalid schema|grammar|conversion|schema contains|cannot find field", re.IGNORECASE)
"""How hosts complain of one schema and not of schemas."""
_NESTED = {"reasoning_effort": "reasoning"}
"""Members of rows that stand within another one on a wire."""
_LENGTHS = ("max_tokens", "max_completion_tokens")
_FEWEST = 16
"""Where less than so much room is left, the prompt itself is too long."""


class TakenBack(NamedTuple):
    """One thing that is no longer sent, or sent under another name."""

    name: str
    value: str = ""
    lasts: bool = True
    """Whether it holds for the host's next request too."""
    max_tokens: int | None = None
    """The bound this very request is asked again with; None: the same."""


class Sent(NamedTuple):
    """One call that was refused."""

    body: JsonObject
    model: Model
    provider: Provider
    max_tokens: int
    length_fields: frozenset[str]
    """Names by which the wire bounds an answer."""
    params: Mapping[str, Json]
    """Members that are the user's own."""
    is_set: frozenset[str] = frozenset()
    """Among temperature and seed: what the user has set."""
    is_fallback: bool = False
    """Whether the user's parameters were meant for another provider."""


def changes_for(failure: AttemptFailed, sent: Sent) -> tuple[TakenBack, ...]:
    """Return what to take back after a refusal; nothing where it names nothing that deepsel has added by itself."""
    if failure.http_status not in _STATUSES or failure.error_class not in _CLASSES:
        return ()
    fitted = _fitted(failure.message, sent.max_tokens)
    if fitted is not None:
        return (fitted,)
    if failure.error_class is not ErrorClass.BAD_REQUEST:
        return ()
    return tuple(_taken_back(failure, sent))


def without(changes: Iterable[TakenBack], model: Model, provider: Provider) -> tuple[Model, Provider]:
    """Return the rows by which what was taken back is sent no more."""
    for name, value, *_ in changes:
        match name:
            case "temperature":
                model = model._replace(sampling="never")
            case "seed":
                provider = provider._replace(seed_field=None)
            case "stream_options":
                provider = provider._replace(stream_usage=False)
            case "reasoning_off":
                model = model._replace(reasoning_off=None)
            case "json_schema":
                model = model._replace(features=model.features - {"json_schema"})
            case "json_object":
                model = model._replace(features=model.features - {"json_schema", "json_object"})
            case "max_tokens_field":
                provider = provider._replace(max_tokens_field=value)
            case "context_window":
                model = model._replace(context_window=min(int(value), model.context_window or int(value)))
            case "max_output":
                model = model._replace(max_output=min(int(value), model.max_output or int(value)))
    return model, provider


def told(change: TakenBack, model: Model) -> str:
    """Say to the user what was taken back."""
    match change.name:
        case "max_tokens_field":
            return f"{model.name} wants `{change.value}` in place of the other name for it; it was asked again with that"
        case "context_window":
            return f"{model.name} has a window of {int(change.value):,} tokens: it was asked again for at most {change.max_tokens:,}"
        case "max_output":
            return f"{model.name} writes at most {int(change.value):,} tokens; it was asked again with that bound"
        case "param":
            return f"{model.name} does not take `{change.value}`, which was meant for another provider; it was asked again without"
        case _:
            what = {"reasoning_off": "the switch that turns reasoning off"}.get(change.name, f"`{change.name}`")
            return f"{model.name} does not take {what}, which nobody asked for; it was asked again without"


# --- what is refused by name -----------------------------------------------------------------------------------------


def _taken_back(failure: AttemptFailed, sent: Sent) -> Iterator[TakenBack]:
    """Yield a change for each member that is named and deepsel's own."""
    body, off = sent.body, sent.model.reasoning_off or {}
    own = {name for name in body if name not in sent.params}
    named = {name for name in failure.names if name in body}

    def is_named(*words: str) -> bool:
        return bool(named & set(words)) if named else any(_stands_in(word, failure.message) for word in words)

    if "temperature" in own and "temperature" not in sent.is_set and is_named("temperature"):
        yield TakenBack("temperature")
    seed_field = sent.provider.seed_field or "seed"
    if seed_field in own and "seed" not in sent.is_set and is_named(seed_field):
        yield TakenBack("seed")
    if "stream_options" in own and is_named("stream_options", "include_usage"):
        yield TakenBack("stream_options")
    if any(name in own and is_named(name) for name in (*off, *(_NESTED[name] for name in off if name in _NESTED))):
        yield TakenBack("reasoning_off")
    if {"response_format", "output_config", "text"} & own and is_named(*_FORM_WORDS, *(["text"] if named else [])):
        yield _form(failure.message, sent)
    yield from _other_length(failure.message, own, sent, is_named("max_tokens"), is_named("max_completion_tokens"))
    if sent.is_fallback:
        yield from (TakenBack("param", name, lasts=False) for name in sent.params if name in body and is_named(name))


def _form(message: str, sent: Sent) -> TakenBack:
    """Take the form of the answer back by one step; a complaint about this very schema says nothing of the next one."""
    form = sent.body.get("response_format") or child(sent.body.get("text"), "format")
    is_plain = isinstance(form, dict) and form.get("type") == "json_object"
    return TakenBack("json_object" if is_plain else "json_schema", lasts=_THIS_SCHEMA.search(message) is None)


def _other_length(message: str, own: set[str], sent: Sent, *is_named: bool) -> Iterator[TakenBack]:
    """Yield the other name for the bound on the answer, where the one that was sent is not known there."""
    is_value = re.search(r"too (?:large|small)|at (?:most|least)|less than|greater|must be|range|exceed|m(?:in|ax)imum", message, re.I)
    for (name, other), is_told in zip((_LENGTHS, _LENGTHS[::-1]), is_named, strict=True):
        if name in own and is_told and other in sent.length_fields and not is_value:
            yield TakenBack("max_tokens_field", other)
            return


def _stands_in(word: str, message: str) -> bool:
    """Tell whether a message names a member, as a word of its own."""
    return re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", message, re.I) is not None


# --- what is too large -----------------------------------------------------------------------------------------------

_NUMBER = r"(\d[\d,]*)"
_ANSWER = r"(?i)max_(?:completion_|new_|output_)?tokens|completion tokens|output tokens|(?:in|for) the completion"
_WINDOW = rf"(?i)(?:context (?:length|limit|window|size)|max_model_len|n_ctx)\D{{0,40}}?{_NUMBER}"
_USED = (
    rf"(?i){_NUMBER}\s+(?:input|prompt)\s*tokens",
    rf"(?i){_NUMBER}\s+(?:tokens\s+)?(?:in|from|of)\s+(?:the\s+|your\s+|text\s+)*(?:messages|input|prompt)",
    rf"(?i)prompt\s*\(?{_NUMBER}\s*tokens",
)
_SUM = rf"{_NUMBER}\s*\+\s*{_NUMBER}\s*>\s*{_NUMBER}"
_REST = rf">\s*{_NUMBER}\s*-\s*{_NUMBER}"
_GIVEN = rf"(?i)must be <= {_NUMBER}\. Given: {_NUMBER}"
_BOUND = (
    rf"(?i)(?:at most|up to|no more than|less than or equal to|<=|>|maximum (?:allowed )?(?:value )?(?:is|of|:)?)\s*`?{_NUMBER}"
    rf"|\[\s*\d+\s*,\s*{_NUMBER}\s*\]"
)


def _fitted(message: str, max_tokens: int) -> TakenBack | None:
    """Return the bound on the answer that a host says would fit; None where it does not say, or the prompt leaves no room."""
    if not re.search(_ANSWER, message):
        return None
    window, used = _window_and_use(message)
    if window is not None and used is not None:
        room = window - used
        return TakenBack("context_window", str(window), max_tokens=room) if min(_FEWEST, max_tokens) <= room < max_tokens else None
    found = [_number(one[1] or one[2]) for one in re.finditer(_BOUND, message)]
    bound = min((one for one in found if one), default=0)
    return TakenBack("max_output", str(bound), max_tokens=bound) if window is None and 0 < bound < max_tokens else None


def _window_and_use(message: str) -> tuple[int | None, int | None]:
    """Read the size of the window and the tokens of the prompt."""
    if added := re.search(_SUM, message):
        return _number(added[3]), _number(added[1])
    if rest := re.search(_REST, message):
        return _number(rest[1]), _number(rest[2])
    if given := re.search(_GIVEN, message):
        return _number(given[1]), _number(given[2])
    window = re.search(_WINDOW, message)
    used = next((found for pattern in _USED if (found := re.search(pattern, message))), None)
    return (_number(window[1]) if window else None), (_number(used[1]) if used else None)


def _number(words: str) -> int:
    digits = words.replace(",", "")
    return int(digits) if len(digits) <= 12 else 0
