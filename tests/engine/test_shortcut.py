"""The shortcut to an answer on disk: the same result as planning and running, and none wherever a plan could matter."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepsel import catalog, tokens
from deepsel.cache import Cache, CachedAnswer
from deepsel.clock import SystemClock
from deepsel.config import CacheSettings, Profile, Settings
from deepsel.engine.lookup import CacheMode, find_place
from deepsel.engine.prepare import prepare
from deepsel.engine.run import Run, Tools
from deepsel.engine.shortcut import Shortcut, _most_tokens, find
from deepsel.health.log import ObservationLog
from deepsel.values import Finish, Image, Message, Model, PriceRule, Provider, Request, Source, Usage

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
    """A cache, a log and candidates, asked both ways."""

    def __init__(self, home: Path, **members: Any) -> None:
        self.models = {name: model(name, **members) for name in NAMES}
        self.profile = Profile(name="main", models=NAMES, max_tokens=500)
        self.cache = Cache(home / "cache", clock=SystemClock(), memory_entries=0)
        self.log = ObservationLog(home / "data")
        self.env = ENV
        self.host = HOST

    def settings(self) -> Settings:
        """The configuration."""
        return Settings({"host": self.host}, self.models, {}, "main", CacheSettings())

    def keep(self, name: str, request: Request = ASKED) -> None:
        """Put an answer of a model where the request will look for it."""
        place = find_place(request, self.models[name], self.host, 500)
        kept = CachedAnswer(
            text=f"from {name}", reasoning="", finish=Finish.COMPLETE, model=name, provider="host", answered_model=name,
            usage=Usage(4, 0, 0, 0, 3, 0, Source.REPORTED), cost_usd=Decimal("0.001"), document=place.document, task="chat",
        )  # fmt: skip
        assert self.cache.put(place.key, kept)

    def short(self, request: Request = ASKED, mode: CacheMode = "auto", **members: Any) -> Shortcut | None:
        """Take the shortcut."""
        known = {"task": None, "difficulty": None, "needs_difficulty": True, "cache_mode": mode}
        return find(
            request, "What is DNS?", profile=self.profile, settings=self.settings(), env=self.env, cache=self.cache,
            log=self.log, clock=SystemClock(), **{**known, **members},
        )  # fmt: skip

    def long(self, request: Request = ASKED, mode: CacheMode = "auto") -> Run:
        """Plan and run."""
        prepared = prepare(
            request, "What is DNS?", profile=self.profile, settings=self.settings(), env=self.env,
            at=datetime.now(UTC), cache_mode=mode, log=self.log,
        )  # fmt: skip
        tools = Tools(
            transport=lambda: pytest.fail("something was sent"), cache=self.cache, log=self.log, clock=SystemClock(),
            rng=random.Random(0), key_of=lambda _: None, ask=lambda *_, **__: pytest.fail("something was sent"),
        )  # fmt: skip
        return Run(prepared, tools, is_shown=False)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Three candidates and an empty cache."""
    made = World(tmp_path)
    yield made
    made.cache.close()


@pytest.mark.parametrize("mode", ["auto", "on", "only"])
@pytest.mark.parametrize("name", NAMES)
def test_both_ways_give_the_same(world: World, mode: CacheMode, name: str) -> None:
    """Events, record, observation, and what the next request gets are those of a plan and a run."""
    world.keep(name)
    short, long = world.short(mode=mode), world.long(mode=mode)
    assert short is not None
    assert list(short.events()) == list(long.events())
    assert short.failure() is long.failure() is short.unplanned is long.unplanned is None
    timeless = {"total_s": 0.0, "ttft_s": 0.0}
    assert short.answer()._replace(**timeless) == long.answer()._replace(**timeless)
    seen = world.log.since(0.0)
    assert seen is not None
    assert len(seen) == 2
    assert seen[0]._replace(at=0.0) == seen[1]._replace(at=0.0)
    next_short, next_long = short.next_time(), long.next_time()
    assert next_short is not None
    assert next_long is not None
    assert next_short._replace(observation=next_long.observation) == next_long
    assert next_short.observation._replace(at=0.0) == next_long.observation._replace(at=0.0)
    assert short.providers == long.providers[:1] * len(NAMES)
    tallies = world.cache.stats()[1]
    assert [(one.tier, one.answers) for one in tallies] == [("bought", 1), ("disk", 2)]


def test_nothing_stored_or_two_stored_needs_a_plan(world: World) -> None:
    """Without an answer, and where the order of the candidates decides, there is no shortcut."""
    assert world.short() is None
    world.keep("b")
    world.keep("c")
    assert world.short() is None
    assert [event.text for event in world.long().events()] == ["from b"]  # type: ignore[union-attr]  # a hit yields text


def test_what_a_plan_refuses_for_good_is_not_given(world: World) -> None:
    """No key, not sold any more or not yet: what a plan would not look up, the shortcut does not give."""
    world.keep("a")
    assert world.short() is not None
    world.env = {}
    assert world.short() is None
    assert world.short(mode="only") is not None
    world.env = ENV
    for members in ({"retires": date(2020, 1, 1)}, {"available_from": date(2999, 1, 1)}):
        world.models["a"] = model("a", **members)
        assert world.short() is None


def test_what_a_window_may_decide_needs_a_plan(world: World) -> None:
    """Where the prompt could come near a window or a bound on input, tokens have to be counted."""
    world.keep("a")
    world.models["c"] = model("c", context_window=580)
    assert world.short() is None
    world.models["c"] = model("c", max_input=50)
    assert world.short() is None


def test_other_reasons_for_a_plan(world: World) -> None:
    """Pictures, modes that do not read, answers that are not the same each time, and flags that may be withheld."""
    world.keep("a")
    picture = Request((Message.of("user", "What is this?", Image("image/png", "data:image/png;base64,AA==")),), temperature=0.0)
    assert world.short(picture) is None
    assert world.short(mode="off") is None
    assert world.short(mode="refresh") is None
    warm = ASKED._replace(temperature=1.0, seed=None)
    world.keep("a", warm)
    assert world.short(warm) is None
    assert world.short(warm, "on") is not None
    world.host = HOST._replace(seed_field=None)
    world.keep("a")
    world.profile = world.profile._replace(sources={"seed": "profile"})
    assert world.short() is not None
    world.profile = world.profile._replace(sources={"seed": "flag"})
    assert world.short() is None


def test_the_difficulty_is_judged_where_it_is_read(world: World) -> None:
    """Without a reader the score is left out; a given one stays."""
    world.keep("a")
    for members, expected in (
        ({"needs_difficulty": False}, None),
        ({"difficulty": 0.25, "needs_difficulty": False}, 0.25),
        ({"difficulty": 0.75}, 0.75),
    ):
        short = world.short(**members)
        assert short is not None
        assert short.answer().difficulty == expected


TEXTS = st.text(max_size=60) | st.sampled_from(["\u0958" * 20, "\ud800", "\ufb2c" * 10, "\U0001d160" * 9, "A B C " * 9])


@settings(deadline=None, max_examples=150)
@given(st.lists(TEXTS, min_size=1, max_size=4))
def test_no_candidate_counts_more(texts: list[str]) -> None:
    """The bound holds for every vocabulary and every framing of the catalog."""
    messages = tuple(Message.of("user", text) for text in texts)
    most = _most_tokens(Request(messages))
    framings = {(one.vocabulary, one.framing_tokens): one for one in catalog.models().values()}
    for one in framings.values():
        assert tokens.count_messages(messages, one).tokens <= most + one.framing_tokens
