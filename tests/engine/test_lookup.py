"""The look at the disk before planning: the same result as a plan and its look-up, and none wherever a plan could matter."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepsel import tokens
from deepsel.cache import Cache, CachedAnswer
from deepsel.catalog import Catalog
from deepsel.clock import SystemClock
from deepsel.config import CacheSettings, Profile, Settings
from deepsel.engine.ask import Ask, CacheMode
from deepsel.engine.encoded import Encodings
from deepsel.engine.limiter import Limiter
from deepsel.engine.lookup import _TOKENS_OF_FRAMING, Lookup, _most_tokens
from deepsel.engine.resources import Resources
from deepsel.engine.run import Run
from deepsel.health.sqlite_state import SqliteState
from deepsel.secret import KnownSecrets
from deepsel.values import Finish, Image, Message, Model, PriceRule, Provider, Request, Source, Usage

CATALOG = Catalog()

ASKED = Request((Message.of("user", "What is DNS?"),), temperature=0.0, seed=7)
HOST = Provider(name="host", wire="openai-chat", base_url="http://127.0.0.1:9/v1", auth="bearer", api_key_env="HOST_KEY")
PRICED = (PriceRule(input=Decimal(1), output=Decimal(2)),)
NAMES = ("a", "b", "c")
ENV = {"HOST_KEY": "sk-test-0123456789"}


def model(name: str, **members: Any) -> Model:
    """A model of the test's provider."""
    known = {"context_window": 9000, "max_output": 700, "vocabulary": "o200k_base", "prices": PRICED}
    return Model(name=name, provider="host", id=name, **{**known, **members})


class World:
    """A cache, a log and candidates, asked with a look before the plan and without."""

    def __init__(self, home: Path, **members: Any) -> None:
        self.models = {name: model(name, **members) for name in NAMES}
        self.profile = Profile(name="main", models=NAMES, max_tokens=500)
        self.cache = Cache(home / "cache", CacheSettings(memory_entries=0), clock=SystemClock())
        self.state = SqliteState(home / "data")
        self.env = ENV
        self.host = HOST

    def resources(self) -> Resources:
        """What a run needs; nothing can be sent."""
        return Resources(
            settings=Settings({"host": self.host}, self.models, {}, "main", CacheSettings(), CATALOG), env=self.env,
            transport=lambda: pytest.fail("something was sent"), cache=self.cache, state=self.state, clock=SystemClock(),
            rng=random.Random(0), secrets=KnownSecrets(), limiter=Limiter(),
            key_of=lambda *_: None, stream=lambda *_, **__: pytest.fail("something was sent"),
        )  # fmt: skip

    def keep(self, name: str, request: Request = ASKED) -> None:
        """Put an answer of a model where the request will look for it."""
        encoded = Encodings(request).of(self.models[name], self.host, 500)
        kept = CachedAnswer(
            text=f"from {name}", reasoning="", finish=Finish.COMPLETE, model=name, provider="host", answered_model=name,
            usage=Usage(4, 0, 0, 0, 3, 0, Source.REPORTED), cost_usd=Decimal("0.001"), document=encoded.document, task="chat",
        )  # fmt: skip
        assert self.cache.put(encoded.key, kept)

    def run(self, request: Request = ASKED, mode: CacheMode = "auto", **members: Any) -> Run:
        """Make a run."""
        ask = Ask(request, "What is DNS?", self.profile, cache_mode=mode, **members)
        return Run(ask, self.resources(), is_shown=False)

    def is_found(self, request: Request = ASKED, mode: CacheMode = "auto") -> bool:
        """Tell whether the answer is found before a plan is made."""
        ask = Ask(request, "What is DNS?", self.profile, cache_mode=mode)
        lookup = Lookup(ask, self.resources(), Encodings(request))
        return lookup.before_planning([(self.models[name], self.host) for name in NAMES])


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Three candidates and an empty cache."""
    made = World(tmp_path)
    yield made
    made.cache.close()


@pytest.mark.parametrize("mode", ["auto", "on", "only"])
@pytest.mark.parametrize("name", NAMES)
def test_both_ways_give_the_same(world: World, mode: CacheMode, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Events, record, observation, and what the next request gets are those of a plan and its look-up."""
    world.keep(name)
    short, long = world.run(mode=mode), world.run(mode=mode)
    events = list(short.events())
    monkeypatch.setattr(Lookup, "before_planning", lambda *_: False)
    assert short._prepared is None
    assert events == list(long.events())
    assert long._prepared is not None
    assert short.failure() is long.failure() is None
    timeless = {"total_s": 0.0, "ttft_s": 0.0}
    assert short.answer()._replace(**timeless) == long.answer()._replace(**timeless)
    seen = world.state.since(0.0).value
    assert seen is not None
    assert len(seen) == 2
    assert seen[0]._replace(at=0.0) == seen[1]._replace(at=0.0)
    next_short, next_long = short.next_time(), long.next_time()
    assert next_short is not None
    assert next_long is not None
    assert next_short._replace(observation=next_long.observation) == next_long
    assert next_short.observation._replace(at=0.0) == next_long.observation._replace(at=0.0)
    assert short.providers == long.providers == [HOST] * len(NAMES)
    tallies = world.cache.stats()[1]
    assert [(one.tier, one.answers) for one in tallies] == [("bought", 1), ("disk", 2)]


def test_nothing_stored_or_two_stored_needs_a_plan(world: World) -> None:
    """Without an answer, and where the order of the candidates decides, nothing is found before a plan."""
    assert not world.is_found()
    world.keep("b")
    world.keep("c")
    assert not world.is_found()
    assert [event.text for event in world.run().events()] == ["from b"]  # type: ignore[union-attr]  # a hit yields text


def test_what_a_plan_refuses_for_good_is_not_given(world: World) -> None:
    """No key, not sold any more or not yet: what a plan would not look up, is not found before one."""
    world.keep("a")
    assert world.is_found()
    world.env = {}
    assert not world.is_found()
    assert world.is_found(mode="only")
    world.env = ENV
    for members in ({"retires": date(2020, 1, 1)}, {"available_from": date(2999, 1, 1)}):
        world.models["a"] = model("a", **members)
        assert not world.is_found()


def test_what_a_window_may_decide_needs_a_plan(world: World) -> None:
    """Where the prompt could come near a window or a bound on input, tokens have to be counted."""
    world.keep("a")
    world.models["c"] = model("c", context_window=580)
    assert not world.is_found()
    world.models["c"] = model("c", max_input=50)
    assert not world.is_found()


def test_other_reasons_for_a_plan(world: World) -> None:
    """Pictures, modes that do not read, answers that are not the same each time, and flags that may be withheld."""
    world.keep("a")
    picture = Request((Message.of("user", "What is this?", Image("image/png", "data:image/png;base64,AA==")),), temperature=0.0)
    assert not world.is_found(picture)
    assert not world.is_found(mode="off")
    assert not world.is_found(mode="refresh")
    warm = ASKED._replace(temperature=1.0, seed=None)
    world.keep("a", warm)
    assert not world.is_found(warm)
    assert world.is_found(warm, "on")
    world.host = HOST._replace(seed_field=None)
    world.keep("a")
    world.profile = world.profile._replace(sources={"seed": "profile"})
    assert world.is_found()
    world.profile = world.profile._replace(sources={"seed": "flag"})
    assert not world.is_found()


def test_the_difficulty_is_judged_where_it_is_read(world: World) -> None:
    """Without a reader the score is left out; a given one stays."""
    world.keep("a")
    for members, expected in (
        ({"needs_difficulty": False}, None),
        ({"difficulty": 0.25, "needs_difficulty": False}, 0.25),
        ({"difficulty": 0.75}, 0.75),
    ):
        run = world.run(**members)
        assert [event.text for event in run.events()] == ["from a"]  # type: ignore[union-attr]  # a hit yields text
        assert run.answer().difficulty == expected


TEXTS = st.text(max_size=60) | st.sampled_from(["\u0958" * 20, "\ud800", "\ufb2c" * 10, "\U0001d160" * 9, "A B C " * 9])


@settings(deadline=None, max_examples=150)
@given(st.lists(TEXTS, min_size=1, max_size=4))
def test_no_candidate_counts_more(texts: list[str]) -> None:
    """The bound holds for every vocabulary and every framing of the catalog."""
    messages = tuple(Message.of("user", text) for text in texts)
    most = _most_tokens(Request(messages))
    for reader in {tokens.reader_of(one)._replace(thinks=thinks) for one in CATALOG.models.values() for thinks in (False, True)}:
        assert tokens.count_request(Request(messages), reader).tokens <= most + _TOKENS_OF_FRAMING
