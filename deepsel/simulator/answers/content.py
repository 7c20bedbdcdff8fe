"""What a simulated model says: made from the prompt alone, the same every time, and plainly called simulated."""

from __future__ import annotations

import json

from deepsel.simulator.answers.reply import Content, Finish, ReadRequest
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
    said = pieces(_text(ask, behaviour))
    room = len(thought) + len(said) if ask.max_tokens is None else ask.max_tokens
    kept_thought, kept_said = thought[:room], said[: max(0, room - len(thought))]
    finish: Finish = "complete" if len(thought) + len(said) <= room else "length"
    return Content(
        id=call_id,
        model=ask.model,
        text="".join(kept_said),
        reasoning="".join(kept_thought),
        finish=finish,
        input_tokens=count(ask.prompt),
        cached_tokens=cached_tokens,
        usage="own_event" if ask.include_usage or not ask.stream else "none",
    )


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
