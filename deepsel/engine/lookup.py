"""One request's dealings with the answer cache: the look before planning, the look-up of a plan, turns, and keeping.

What a plan would find out (tokens, prices, health, order) cannot change the answer where exactly one candidate has one on the
disk that the plan would allow. Wherever it could, nothing is found here, and the run goes on to plan.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from deepsel import config
from deepsel.cache import Patience
from deepsel.engine.ask import Ask, CacheMode
from deepsel.engine.encoded import Encoded, Encodings
from deepsel.engine.resources import Resources
from deepsel.errors import NoRouteError
from deepsel.records import NamedTuple
from deepsel.routing.lengths import fit_max_tokens
from deepsel.values import CacheUse, Finish, JsonObject, Model, Notice, Provider, Request
from deepsel.wires.table import wire_of

if TYPE_CHECKING:
    from deepsel.cache import Account, CachedAnswer
    from deepsel.engine.attempt import Draft, Settlement
    from deepsel.engine.prepare import Prepared
    from deepsel.engine.single_flight import SingleFlight

_TOKENS_A_BYTE = 3
"""More than any vocabulary makes of a text: a token covers a byte, Claude's marks none; NFC makes three bytes of one at most."""
_TOKENS_OF_FRAMING = 256
"""More than any chat template says around a conversation without tools, at any effort, the form of the answer included."""
_TOKENS_A_MESSAGE = 16
"""More than any maker's framing of one more message."""
_KEY_SHARE = 0.75
"""Of the request's time that a key command may take for the look-up."""


class CachePeek(NamedTuple):
    """What the cache has for a plan."""

    use: CacheUse
    model: str | None
    """Whose answer it is."""
    document: JsonObject | None
    """What the key is the hash of."""


def may_read(mode: CacheMode, encoded: Encoded) -> bool:
    """Tell whether an answer from the cache will do."""
    return mode in ("on", "only") or (mode == "auto" and encoded.is_deterministic)


def may_store(mode: CacheMode, encoded: Encoded) -> bool:
    """Tell whether the answer may be kept."""
    return mode in ("on", "refresh") or (mode == "auto" and encoded.is_deterministic)


def not_cached(models: Iterable[str]) -> NoRouteError:
    """Say that nobody may be asked and none of the models' answers is there."""
    reasons = "; ".join(f"{model}: not in the cache" for model in models)
    return NoRouteError(f"no cached answer, and nothing was sent: {reasons}", "ask once without `--only-cached`")


class Lookup:
    """One request's dealings with the answer cache."""

    def __init__(self, ask: Ask, resources: Resources, encodings: Encodings) -> None:
        """Have looked nowhere."""
        self.ask, self.resources, self.encodings = ask, resources, encodings
        self.use = CacheUse("off")
        self.hit: CachedAnswer | None = None
        self.notices: list[Notice] = []
        self._flight: SingleFlight | None = None
        self._missed: set[str] = set()  # keys that were just looked for on the disk, in vain
        self._patience = Patience(most_s=ask.profile.timeout_s / 4)  # which leaves most of a short time to the providers

    def before_planning(self, candidates: Sequence[tuple[Model, Provider]]) -> bool:
        """Look on this machine's disk; tell whether an answer was found that no plan could change."""
        ask, cache = self.ask, self.resources.cache
        if ask.cache_mode in ("off", "refresh") or ask.request.media or ask.request.asks_for_tools:
            return False
        most, found = _most_tokens(ask.request), []
        for model, provider in candidates:
            limit = _sure_limit(ask, model, most)
            if limit is None or _may_warn(ask, model, provider):
                return False
            encoded = self.encodings.of(model, provider, limit)
            stored = cache.on_disk(encoded.key) if may_read(ask.cache_mode, encoded) else None
            if stored is not None:
                found.append((model, provider, encoded.key, stored[0]))
            else:
                self._missed.add(encoded.key)
        if len(found) != 1:
            return False
        model, provider, key, answer = found[0]
        if not _may_answer(model, provider, self.resources, needs_key=ask.cache_mode != "only"):
            return False
        self.hit, self.use = answer, CacheUse("hit", "disk", key)
        cache.count_answer(answer, "disk")
        return True

    def everywhere(self, prepared: Prepared) -> None:
        """Search every tier for each candidate of the plan, best first."""
        mode, cache = self.ask.cache_mode, self.resources.cache
        if mode == "off":
            return
        # Where more looks follow, one of them reads the disk again; `only` has no other, which also says where the disk fails.
        missed, self._missed = set() if mode == "only" else self._missed, set()
        for name in prepared.look_up:
            encoded = self.encoded(prepared, name)
            is_wanted = may_read(mode, encoded)
            if self.use.key is None and (is_wanted or may_store(mode, encoded)):
                self.use = CacheUse("miss", None, encoded.key)
            if not is_wanted:
                continue
            account, asks_disk = self._account(prepared, name), encoded.key not in missed
            self.hit, tier, notices = cache.get(encoded.key, account, self._patience, asks_disk=asks_disk)
            self.notices += notices
            if self.hit is not None:
                self.use = CacheUse("hit", tier, encoded.key)
                break

    def peek(self, prepared: Prepared) -> CachePeek:
        """Look whether the cache could answer, without counting it as an answer."""
        first: Encoded | None = None
        for name in prepared.look_up:
            encoded = self.encoded(prepared, name)
            if not may_read(self.ask.cache_mode, encoded):
                continue
            first = first or encoded
            found = self.resources.cache.get(encoded.key, self._account(prepared, name), self._patience, is_counted=False)
            if found:
                return CachePeek(CacheUse("hit", found.tier, encoded.key), name, encoded.document)
        if first is None:
            return CachePeek(CacheUse("off"), None, None)
        return CachePeek(CacheUse("miss", None, first.key), None, first.document)

    def keep(self, draft: Draft, settlement: Settlement, prepared: Prepared) -> Notice | None:
        """Store a whole answer under the model that gave it, where it may be kept; returns why it was not, where that is news."""
        if self.ask.cache_mode == "off" or draft.finish is not Finish.COMPLETE:
            return None
        encoded = self.encodings.of(draft.model, draft.provider, draft.max_tokens)
        if not may_store(self.ask.cache_mode, encoded) or draft.doubts or settlement.is_doubted:
            return None  # what can be read in two ways comes with a warning, which a hit would not have
        from deepsel.engine.checks.wholeness import stops_in_sentence  # a hit needs neither
        from deepsel.engine.record import holds_a_secret, to_keep

        if stops_in_sentence(draft.text):
            return Notice("possibly_cut", "the answer ends within a sentence; it was not stored")
        if holds_a_secret(draft, encoded, self.resources.secrets):
            return Notice("holds_a_secret", "the request or its answer holds a key or password of yours; it was not stored")
        cache, account = self.resources.cache, self._account_of(draft.provider)
        is_kept, notices = cache.put(encoded.key, to_keep(draft, settlement, encoded, prepared), account=account, patience=self._patience)
        self.use = CacheUse("stored" if is_kept else "miss", None, encoded.key)
        self.notices += notices
        return None

    def take_turn(self, prepared: Prepared, *, started_s: float) -> bool:
        """Wait until nobody else, in any process, asks for the same answer; `started_s` on the monotonic clock.

        False where the request's time is over: it is too late to ask.
        """
        from deepsel.engine.single_flight import SingleFlight

        assert self.use.key is not None
        account = self._account(prepared, prepared.plan.choices[0].model)
        self._flight = SingleFlight(self.resources.clock, started_s=started_s, timeout_s=self.ask.profile.timeout_s)
        return self._flight.acquire(self.resources.cache.locks_of(self.use.key, account, self._patience))

    def give_turn_back(self) -> None:
        """Let the next one ask, or find the answer."""
        if self._flight is not None:
            self._flight.release(is_kept=self.use.status in ("hit", "stored"))

    def encoded(self, prepared: Prepared, name: str) -> Encoded:
        """Return the request as a candidate is sent it."""
        candidate = prepared.candidates[name]
        assert candidate.max_tokens is not None
        return self.encodings.of(candidate.model, candidate.provider, candidate.max_tokens)

    def _account(self, prepared: Prepared, name: str) -> Account:
        """Say how to find the key that pays for a model's answers."""
        return self._account_of(prepared.candidates[name].provider)

    def _account_of(self, provider: Provider) -> Account:
        """Leave a little of the request's time, so that a command which gives no key is what the error speaks of."""
        return partial(self.resources.key_of, provider, self.ask.profile.timeout_s * _KEY_SHARE)


def _sure_limit(ask: Ask, model: Model, most: int) -> int | None:
    """Return the bound on the answer where the window cannot decide it, and with it the key; else None."""
    wanted = ask.request.max_tokens or ask.profile.max_tokens
    limit = wanted if model.max_output is None else min(wanted, model.max_output)
    framing = max(_TOKENS_OF_FRAMING, model.framing_tokens or 0)
    fitted = fit_max_tokens(model, most + framing, wanted=wanted, input_is_exact=False)
    return limit if fitted == limit else None


def _may_warn(ask: Ask, model: Model, provider: Provider) -> bool:
    """Tell whether something that was asked for by an option would not be sent."""
    flags = {name for name, source in ask.profile.sources.items() if source == "flag"}
    return bool(flags and flags.intersection(wire_of(provider.wire).withheld(ask.request, model, provider)))


def _most_tokens(request: Request) -> int:
    """Return more tokens than any candidate can count the request as, what stands around the conversation aside."""
    texts = [message.readable for message in request.messages]
    if request.schema is not None:
        import json

        texts.append(json.dumps(request.schema))
    return sum(_TOKENS_A_BYTE * len(text.encode("utf-8", "surrogatepass")) + _TOKENS_A_MESSAGE for text in texts)


def _may_answer(model: Model, provider: Provider, resources: Resources, *, needs_key: bool) -> bool:
    """Tell whether a plan would not refuse the model for good."""
    today = resources.clock.now().date()
    is_sold = (model.retires is None or today < model.retires) and (model.available_from or today) <= today
    return is_sold and (not needs_key or config.has_key(provider, resources.env))
