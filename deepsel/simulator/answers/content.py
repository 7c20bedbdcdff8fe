"""What a simulated model says: made from the prompt alone, the same every time, and plainly called simulated."""

from __future__ import annotations

import json

from deepsel.simulator.answers.reply import Content, Finish, MadeCall, ReadRequest
from deepsel.simulator.answers.tokens import count, pieces
from deepsel.simulator.scenario import Behaviour

DEFAULT_REASONING_TOKENS = 16
_SHOWN_WORDS = 12
_CODE_SIGNS = ("```", "code", "function", "implement", "script", "regex", "def ", "class ", "bug", "unit test")
_LANGUAGES = ("python", "rust", "typescript", "javascript", "java", "go", "sql", "bash", "ruby", "c")
_COMMENTS = {"python": "#", "bash": "#", "ruby": "#", "sql": "--"}
_FILLER = "These words are simulated and stand for an answer of the wanted length. "


def compose(ask: ReadRequest, behaviour: Behaviour, *, call_id: str, cached_tokens: int) -> Content:
    """Write the answer to one request and cut it where `max_tokens` ends, reasoning first."""
    thought = pieces(_reasoning(ask, behaviour))
    call = wanted_call(ask, has_text=behaviour.text is not None or behaviour.output_tokens is not None)
    text, stop = ("", None) if call else _stopped(_text(ask, behaviour), ask.stops)
    said = pieces(call[1] if call else text)
    room = len(thought) + len(said) if ask.max_tokens is None else ask.max_tokens
    kept_thought, kept_said = thought[:room], said[: max(0, room - len(thought))]
    is_whole = len(thought) + len(said) <= room
    finish: Finish = "length" if not is_whole else "tool" if call else "complete"
    words = "".join(kept_said)
    return Content(
        id=call_id,
        model=ask.model,
        text="" if call else words,
        calls=(MadeCall(f"call_{call_id}", call[0], words),) if call and kept_said else (),
        stop_sequence=stop if is_whole else None,
        answers=ask.answers,
        reasoning="".join(kept_thought),
        finish=finish,
        input_tokens=count(ask.prompt),
        cached_tokens=cached_tokens,
        usage="own_event" if ask.include_usage or not ask.stream else "none",
    )


def wanted_call(ask: ReadRequest, *, has_text: bool) -> tuple[str, str] | None:
    """Choose a tool to call and write its arguments; None where the answer is a text.

    A tool that has to be called is, each time. One that may be called is called once after the user spoke, the first that is
    offered, unless the scenario gives the answer's text.
    """
    offer = ask.offer
    if not offer.tools or offer.is_closed or (has_text and not (offer.must_call or offer.only)):
        return None
    fresh = [tool for tool in offer.tools if tool.name not in offer.called]
    named = [tool for tool in offer.tools if tool.name == offer.only]
    if named:
        tool = named[0]
    elif offer.must_call:
        tool = fresh[0] if fresh else offer.tools[-1]
    elif offer.called:
        return None
    else:
        tool = fresh[0]
    from deepsel.simulator.answers.schema import example  # only few requests carry one

    return tool.name, json.dumps(example({"type": "object", **tool.schema}), ensure_ascii=False)


def _stopped(text: str, stops: tuple[str, ...]) -> tuple[str, str | None]:
    """End a text before the first of the given texts in it; say which that was."""
    found = [(text.find(stop), stop) for stop in stops if stop and stop in text]
    if not found:
        return text, None
    at, stop = min(found)
    return text[:at], stop


def _reasoning(ask: ReadRequest, behaviour: Behaviour) -> str:
    """Give the reasoning a model shows; empty for one that shows none."""
    tokens = behaviour.reasoning_tokens
    if tokens is None:
        thinks = ask.model.endswith("-reasoner") if ask.thinking is None else ask.thinking
        tokens = DEFAULT_REASONING_TOKENS if thinks else 0
    return _stretched("Simulated reasoning about the request. ", tokens)


def _text(ask: ReadRequest, behaviour: Behaviour) -> str:
    """Give the whole answer, of the wanted form and length."""
    if behaviour.text is not None:
        return behaviour.text
    if ask.wants_json:
        return _json(ask)
    text = _code(ask) if _is_code(ask.question) else _prose(ask)
    if behaviour.output_tokens is None:
        return text
    return _stretched(f"{text} ", behaviour.output_tokens)


def _prose(ask: ReadRequest) -> str:
    """Say in plain words what was read."""
    words = ask.question.split()
    shown = " ".join(words[:_SHOWN_WORDS])[:200] + (" ..." if len(words) > _SHOWN_WORDS else "")
    return (
        f"[simulated answer from {ask.model}] No model was asked. "
        f"Your prompt has {len(words)} words and {len(ask.question)} characters"
        + (f' and begins: "{shown}"' if words else "")
        + ". A real model would answer it here; this text only shows the way an answer takes."
    )


def _is_code(question: str) -> bool:
    """Guess whether code is wanted."""
    lowered = question.lower()
    return any(sign in lowered for sign in _CODE_SIGNS)


def _code(ask: ReadRequest) -> str:
    """Answer with a fenced block in the language the question names."""
    words = {word.strip(".,:;?!()`'\"") for word in ask.question.lower().split()}
    language = "cpp" if "c++" in words else next((name for name in _LANGUAGES if name in words), "python")
    mark = _COMMENTS.get(language, "//")
    return (
        f"[simulated answer from {ask.model}] No model was asked; code would stand here:\n\n```{language}\n"
        f"{mark} simulated: {' '.join(ask.question.split()[:_SHOWN_WORDS])[:200]}\n```\n"
    )


def _json(ask: ReadRequest) -> str:
    """Answer with a document that satisfies the schema, or with any object where none was given."""
    if ask.schema is None:
        return json.dumps({"simulated": True, "model": ask.model, "answer": _prose(ask)}, ensure_ascii=False)
    from deepsel.simulator.answers.schema import example  # only few requests carry one

    return json.dumps(example(ask.schema), ensure_ascii=False)


def _stretched(text: str, tokens: int) -> str:
    """Bring a text to an exact number of tokens, with filler or a cut."""
    have = pieces(text)
    while len(have) < tokens:
        have += pieces(_FILLER)
    return "".join(have[:tokens])
