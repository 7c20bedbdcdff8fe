"""Which conversation is where: remembers for each by whom it was answered last, and what that provider's cache is expected to hold.

A conversation is known by what its client calls it (a header, a member of the body, the id of the answer before), else by what does
not change while it lasts: system text, tools and the first words of the user. Kept in memory alone, of the latest ones, without text.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections import OrderedDict
from collections.abc import Mapping

from deepsel import config
from deepsel.catalog.prompt_caches import prompt_cache
from deepsel.clock import Clock
from deepsel.config import Settings
from deepsel.engine.ask import Ask
from deepsel.errors import ConfigError
from deepsel.records import NamedTuple
from deepsel.routing.stickiness import Holding, warmth
from deepsel.serve.surfaces.surface import Asked
from deepsel.values import Answer, Request

_MOST = 10_000
_UNKNOWN_LIFE_S = 300.0
"""Of a cache that nobody has stated a life of."""
_SESSION_HEADER = "x-deepsel-session"


class _Standing(NamedTuple):
    """How a conversation stood after its latest answer."""

    model: str
    prompt_tokens: int
    """Of the latest prompt, its answer included."""
    share: float
    """Of the prompt before, what was read from the cache in the latest turn; at first what the provider's row says."""
    at_s: float
    """On the monotonic clock."""


class HeldConversations:
    """The conversations of one server; safe to use from many threads."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._standings: OrderedDict[str, _Standing] = OrderedDict()
        self._names: OrderedDict[str, str] = OrderedDict()
        """The id of an answer to the key of its conversation."""

    def held(self, ask: Ask, asked: Asked, headers: Mapping[str, str], settings: Settings) -> tuple[Ask, str]:
        """Return what is asked, with where its conversation is, and the key by which that is noted; empty: nobody need know.

        A single question is judged as one, and noted all the same: it may be the first turn of a conversation.
        """
        given = headers.get(_SESSION_HEADER) or asked.session
        if len(ask.profile.models) < 2:
            return ask, ""
        scope = f"{ask.profile.client}\0{ask.profile.name}\0"
        with self._lock:
            key = self._names.get(scope + _bare(given)) if given else None
            key = key or scope + (given or fingerprint(ask.request))
            standing = self._standings.get(key)
        if not (given or is_conversation(ask.request)):
            return ask, key
        shares = _shares(ask, settings)
        if standing is None or standing.model not in ask.profile.models:
            return ask._replace(holding=Holding(shares=shares)), key
        life_s = _life_s(standing.model, settings)
        kept = standing.share * warmth(self._clock.monotonic() - standing.at_s, life_s)
        shares = {**shares, standing.model: standing.share}
        holding = Holding(standing.model, int(standing.prompt_tokens * kept), asked.is_in_tool_loop, shares)
        return ask._replace(holding=holding), key

    def note(self, key: str, answer: Answer, answer_id: str) -> bool:
        """Note who has answered a conversation; `answer_id` names it in the next turn. Tells whether it has moved."""
        if answer.cache.status == "hit" or not answer.attempts:
            return False
        usage, scope = answer.usage, key.rpartition("\0")[0] + "\0"
        read = usage.input_tokens or 0
        with self._lock:
            before = self._standings.pop(key, None)
            is_same = before is not None and before.model == answer.model
            standing = _Standing(
                model=answer.model,
                prompt_tokens=read + (usage.output_tokens or 0),
                share=_share(before if is_same else None, answer),
                at_s=self._clock.monotonic(),
            )
            self._standings[key] = standing
            if answer_id:
                self._names[scope + _bare(answer_id)] = key
            for kept in (self._standings, self._names):
                while len(kept) > _MOST:
                    kept.popitem(last=False)
        return before is not None and not is_same


def _bare(answer_id: str) -> str:
    """Return an answer's id without what a wire puts before it."""
    return answer_id.rpartition("_")[2]


def is_conversation(request: Request) -> bool:
    """Tell whether more turns are to be expected: some have been, or the model has tools to call."""
    return bool(request.tools) or sum(message.role != "system" for message in request.messages) > 1


def fingerprint(request: Request) -> str:
    """Return what a conversation without a name is known by: the hash of system text, tools and the first words of the user."""
    system = [message.readable for message in request.messages if message.role in ("system", "developer")]
    first = next((message.readable for message in request.messages if message.role == "user"), "")
    tools = [(tool.name, tool.description, tool.parameters) for tool in request.tools]
    text = json.dumps([system, first, tools], ensure_ascii=False, sort_keys=True, default=str)
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


def has_marks(request: Request) -> bool:
    """Tell whether a body marks what is to be cached, as some providers want it."""
    return request.given is not None and '"cache_control"' in json.dumps(request.given.body, ensure_ascii=False)


def _shares(ask: Ask, settings: Settings) -> dict[str, float]:
    """Say for each candidate what of a prompt that it has read before it is expected to read from its cache."""
    found = {}
    is_marked: bool | None = None
    for name in ask.profile.models:
        try:
            model = config.find_model(settings, name)
        except ConfigError:
            continue
        cache = prompt_cache(model.provider)
        if cache is None:
            continue
        if cache.needs_marks:
            is_marked = has_marks(ask.request) if is_marked is None else is_marked
            given = ask.request.given
            is_own = given is not None and given.wire == config.find_provider(settings, model.provider).wire
            if not (is_marked and is_own):
                continue
        found[name] = cache.share
    return found


def _life_s(name: str, settings: Settings) -> float:
    cache = prompt_cache(config.find_model(settings, name).provider)
    return _UNKNOWN_LIFE_S if cache is None else cache.life_s


def _share(before: _Standing | None, answer: Answer) -> float:
    """Return what of the prompt before was read from the cache in this turn, as reported; else what is known or expected."""
    read = answer.usage.cache_read
    if before is None or before.prompt_tokens <= 0:
        return _first_share(answer)
    return before.share if read is None else min(1.0, read / before.prompt_tokens)


def _first_share(answer: Answer) -> float:
    """Expect of a provider's cache what it has just shown, else what its row says, where it keeps anything by itself."""
    read, prompt = answer.usage.cache_read, answer.usage.input_tokens
    if read and prompt:  # others have asked with the same beginning
        return read / prompt
    cache = prompt_cache(answer.provider)
    if cache is None or (cache.needs_marks and not (answer.usage.cache_write_tokens or answer.usage.cache_read)):
        return 0.0
    return cache.share
