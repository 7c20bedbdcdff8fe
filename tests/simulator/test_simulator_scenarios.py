"""Scenarios: how they are read, what their steps, limits and times do."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from raw_client import Ask

from deepsel.errors import ConfigError
from deepsel.simulator import BUILT_IN, FAULTS, Behaviour, Scenario, Simulator, load_scenario, parse_scenario
from deepsel.simulator.scenario_file import READERS
from deepsel.simulator.traffic import Traffic

TOML = """
name = "mine"
repeat_steps = true
known_models = ["gpt-*", "slow"]
[default]
ttft_s = 0.1
tokens_per_s = 50
[models.slow]
ttft_s = 9
fault = 429
[[models.slow.steps]]
fault = []
[[steps]]
fault = ["503", "cut_mid_event"]
times = 2
"""


def test_every_field_of_a_behaviour_can_be_written() -> None:
    """A field added to Behaviour needs a reader."""
    assert set(READERS) == {field.name for field in fields(Behaviour)}


def test_toml_and_json_read_the_same(tmp_path: Path) -> None:
    """The two formats and a dict give one scenario."""
    import tomllib

    (tmp_path / "a.toml").write_text(TOML)
    (tmp_path / "a.json").write_text(json.dumps(tomllib.loads(TOML)))
    scenario = load_scenario(str(tmp_path / "a.toml"))
    assert scenario == load_scenario(str(tmp_path / "a.json")) == parse_scenario(tomllib.loads(TOML))
    assert scenario.default == Behaviour(ttft_s=0.1, itl_s=0.02)
    assert scenario.steps == ({"fault": ("503", "cut_mid_event")},) * 2
    assert scenario.models["slow"].changes == {"ttft_s": 9.0, "fault": ("429",)}


@pytest.mark.parametrize(
    ("data", "message", "hint"),
    [
        ({"defualt": {}}, "scenario: `defualt` is not a key of a scenario", "did you mean `default`?"),
        ({"default": {"ttfs_s": 1}}, "scenario: `default.ttfs_s` is not a key of a scenario", "`ttft_s`"),
        ({"default": {"ttft_s": -1}}, "scenario: `default.ttft_s` must be a number from 0 to 1e+09", ""),
        ({"default": {"ttft_s": True}}, "must be a number", ""),
        ({"default": {"ttft_s": float("nan")}}, "must be a number", ""),
        ({"default": {"fault": "cut_mid_evnt"}}, "names no fault: `cut_mid_evnt`", "`cut_mid_event`"),
        ({"default": {"fault_error": "9"}}, "scenario: `default.fault_error` names no error: `9`", ""),
        ({"default": {"itl_s": 1, "tokens_per_s": 1}}, "has both `itl_s` and `tokens_per_s`", ""),
        ({"default": {"headers": {"a": "b\r\nc: d"}}}, "must be a table of header to text", ""),
        ({"default": 3}, "scenario: `default` must be a table", ""),
        ({"models": {"a": {"steps": 3}}}, "scenario: `models.a.steps` must be a list of tables", ""),
        ({"models": {"a": 3}}, "scenario: `models.a` must be a table", ""),
        ({"steps": [{}, {"times": 0}]}, "scenario: `steps[2].times` must be a whole number", ""),
        ({"steps": [{"times": 20_000}]}, "more than 10000 steps", ""),
        ({"repeat_steps": 1}, "scenario: `repeat_steps` must be true or false", ""),
        ({"known_models": "x"}, "scenario: `known_models` must be a list of ids", ""),
        ({"name": 1}, "scenario: `name` must be a string", ""),
    ],
)
def test_mistakes_are_named(data: dict[str, Any], message: str, hint: str) -> None:
    """A wrong scenario is one line with the place, and the nearest name where there is one."""
    with pytest.raises(ConfigError) as caught:
        parse_scenario(data)
    assert message in caught.value.message
    assert "\n" not in caught.value.message
    assert hint in caught.value.hint


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [("a.toml", "x = ", "not valid TOML"), ("a.json", "{", "not valid JSON"), ("b.json", "[]", "must be an object")],
)
def test_broken_files_are_named(name: str, content: str, message: str, tmp_path: Path) -> None:
    """A file that cannot be parsed is one line with its path."""
    path = tmp_path / name
    path.write_text(content)
    with pytest.raises(ConfigError, match=message) as caught:
        load_scenario(str(path))
    assert caught.value.message.startswith(f"{path}: ")


def test_unknown_name_lists_neighbours() -> None:
    """A name that is neither a scenario nor a file gets near matches, or the list."""
    with pytest.raises(ConfigError) as caught:
        load_scenario("cut-steam")
    assert "`cut-stream`" in caught.value.hint
    with pytest.raises(ConfigError) as caught:
        load_scenario("zzz")
    assert "rate-limited" in caught.value.hint


def test_each_fault_is_a_scenario_by_its_name() -> None:
    """A fault can be played by its name alone."""
    assert all(load_scenario(name).default.fault == (name,) for name in FAULTS)


def test_built_in_scenarios_are_well_formed() -> None:
    """Each built-in has its name, one line of description, and only faults that exist."""
    for name, scenario in BUILT_IN.items():
        assert scenario.name == name
        assert scenario.description
        assert "\n" not in scenario.description
        played = [scenario.default, *(scenario.behaviour(None, call) for call in range(len(scenario.steps)))]
        assert {fault for behaviour in played for fault in behaviour.fault} <= set(FAULTS)


def test_built_ins_start(ask: Ask, clock: Any) -> None:
    """A built-in scenario plays with a clock that does not wait."""
    with Simulator(BUILT_IN["slow-first-token"], clock=clock) as simulator:
        assert ask(simulator, stream=True).is_whole
        record = simulator.records[0]
    assert record.token_written_s[0] - record.request_read_s == 5.0


def test_steps_come_in_order_and_then_the_default(ask: Ask) -> None:
    """The first call meets the first step, the second the second, later ones none."""
    with Simulator({"steps": [{"fault": "503"}, {"fault": "disconnect_at_accept"}, {"fault": 401}]}) as simulator:
        statuses = [raw.status if raw.head else None for raw in (ask(simulator) for _ in range(5))]
    assert statuses == [503, None, 401, 200, 200]


def test_repeated_steps_start_over(ask: Ask) -> None:
    """`repeat_steps` plays the list again and again."""
    with Simulator({"repeat_steps": True, "steps": [{"fault": "429"}, {}]}) as simulator:
        assert [ask(simulator).status for _ in range(5)] == [429, 200, 429, 200, 429]


def test_models_have_their_own_behaviour_and_steps(ask: Ask) -> None:
    """A pattern's calls are counted apart; an id in full wins over a pattern."""
    play = {"models": {"a*": {"fault": "500", "steps": [{"fault": []}]}, "ab": {"fault": "402"}}}
    with Simulator(play) as simulator:
        statuses = [ask(simulator, model=model).status for model in ("b", "ax", "ay", "ab", "b")]
    assert statuses == [200, 200, 500, 402, 200]


def test_unknown_models_are_404_and_known_ones_listed(ask: Ask) -> None:
    """`known_models` closes the list."""
    with Simulator({"known_models": ["gpt-*", "solo"]}) as simulator:
        assert [ask(simulator, model=model).status for model in ("gpt-9", "solo", "claude")] == [200, 200, 404]


def test_chance_is_the_same_at_every_run() -> None:
    """The same seed fails the same calls, another seed others; the rate is kept."""
    behaviour = Behaviour(fault=("429", "500"), fault_rate=0.5, seed=1)
    first = [behaviour.fault_of(call) for call in range(1000)]
    assert first == [behaviour.fault_of(call) for call in range(1000)]
    assert first != [Behaviour(fault=("429", "500"), fault_rate=0.5, seed=2).fault_of(call) for call in range(1000)]
    assert 400 < sum(fault is not None for fault in first) < 600
    assert set(first) == {None, "429", "500"}


def test_rate_limit_says_when_there_is_room(ask: Ask, clock: Any) -> None:
    """Calls over the limit get the exact wait; after it there is room; good answers say what is left."""
    with Simulator({"default": {"limit_requests": 2, "limit_window_s": 10}}, clock=clock) as simulator:
        first = ask(simulator)
        clock.sleep(4)
        second, third = ask(simulator), ask(simulator)
        clock.sleep(float(third.headers["retry-after"]))
        fourth = ask(simulator)
    assert [raw.status for raw in (first, second, third, fourth)] == [200, 200, 429, 200]
    assert third.headers["retry-after"] == "6"
    assert first.headers["x-ratelimit-remaining-requests"] == "1"
    assert second.headers["x-ratelimit-remaining-requests"] == "0"


def test_rate_limit_speaks_the_other_wire(ask: Ask, clock: Any) -> None:
    """The anthropic-messages wire names the limit in its own headers."""
    with Simulator({"default": {"limit_requests": 2}}, clock=clock) as simulator:
        headers = ask(simulator, "anthropic-messages").headers
    assert headers["anthropic-ratelimit-requests-remaining"] == "1"
    assert headers["anthropic-ratelimit-requests-reset"] == "2026-01-02T03:04:06Z"


def test_concurrency_limit_counts_what_is_under_way() -> None:
    """A call is refused while as many as allowed run, and let in when one has left."""
    traffic = Traffic(Scenario(default=Behaviour(max_concurrent=1, retry_after_s=3)))
    assert traffic.enter("m", 0.0).refused_wait_s is None
    assert traffic.enter("m", 1.0).refused_wait_s == 3
    assert traffic.enter("other", 1.0).refused_wait_s is None
    traffic.leave("m", 2.0)
    assert traffic.enter("m", 2.0).refused_wait_s is None


def test_a_model_is_cold_at_first_and_after_idling() -> None:
    """The first call and one after the idle time wait for the cold start; one in between waits for the rest of it."""
    traffic = Traffic(Scenario(default=Behaviour(cold_start_s=3, idle_before_cold_s=60)))
    waits = []
    for at_s in (0.0, 1.0, 10.0, 69.0, 130.0):
        waits.append(traffic.enter("m", at_s).cold_s)
        traffic.leave("m", at_s)
    assert waits == [3, 2, 0, 0, 3]


def test_a_cold_start_is_recorded(ask: Ask, clock: Any) -> None:
    """The record tells a cold answer from a warm one, and the delay is the scenario's."""
    with Simulator({"default": {"cold_start_s": 3, "ttft_s": 1}}, clock=clock) as simulator:
        ask(simulator, stream=True)
        ask(simulator, stream=True)
        cold, warm = simulator.records
    assert (cold.was_cold, warm.was_cold) == (True, False)
    assert cold.token_written_s[0] - cold.request_read_s == pytest.approx(4)
    assert warm.token_written_s[0] - warm.request_read_s == pytest.approx(1)


def test_tokens_are_scheduled_from_one_start(ask: Ask, clock: Any) -> None:
    """Token number k is due at ttft + k * itl after the request, however many share an event."""
    play = {"default": {"headers_s": 0.5, "ttft_s": 2, "itl_s": 0.25, "output_tokens": 6, "chunk_tokens": 2}}
    with Simulator(play, clock=clock) as simulator:
        ask(simulator, stream=True)
        record = simulator.records[0]
    start_s = record.request_read_s
    assert record.head_written_s == pytest.approx(start_s + 0.5)
    assert [at_s - start_s for at_s in record.token_written_s] == pytest.approx([2, 2, 2.5, 2.5, 3, 3])


def test_a_body_comes_when_the_last_token_would(ask: Ask, clock: Any) -> None:
    """An answer that is not streamed takes as long as a stream of it."""
    with Simulator({"default": {"ttft_s": 2, "itl_s": 0.25, "output_tokens": 5}}, clock=clock) as simulator:
        ask(simulator)
        record = simulator.records[0]
    assert record.last_written_s == pytest.approx(record.request_read_s + 3)


def test_a_stall_holds_everything_back(ask: Ask, clock: Any) -> None:
    """What falls in the stall window is written at its end, what comes later is on time."""
    play = {"default": {"ttft_s": 1, "itl_s": 1, "output_tokens": 5, "stall_at_s": 1.5, "stall_s": 2}}
    with Simulator(play, clock=clock) as simulator:
        ask(simulator, stream=True)
        record = simulator.records[0]
    assert [at_s - record.request_read_s for at_s in record.token_written_s] == pytest.approx([1, 3.5, 3.5, 4, 5])


@given(st.lists(st.floats(0, 100), max_size=20), st.floats(0, 3), st.floats(0, 5), st.none() | st.floats(3, 9))
def test_stalls_never_reorder(at: list[float], stall_s: float, start_s: float, every_s: float | None) -> None:
    """A stall moves nothing to an earlier time and keeps the order."""
    behaviour = Behaviour(stall_s=stall_s, stall_at_s=start_s, stall_every_s=every_s)
    moved = [behaviour.released_s(at_s) for at_s in sorted(at)]
    assert moved == sorted(moved)
    assert all(late >= early for early, late in zip(sorted(at), moved, strict=True))


def test_context_window_refuses_what_does_not_fit(ask: Ask) -> None:
    """Prompt and allowance over the window are a context overflow."""
    with Simulator({"default": {"context_window": 100}}) as simulator:
        assert ask(simulator, max_tokens=50).status == 200
        raw = ask(simulator, max_tokens=99)
    assert raw.status == 400
    assert raw.json["error"]["code"] == "context_length_exceeded"


def test_headers_are_added_to_any_response(ask: Ask) -> None:
    """A scenario's own headers come with answers and errors, over those of the row."""
    play = {"default": {"headers": {"Retry-After": "soon"}}, "steps": [{"fault": "429"}]}
    with Simulator(play) as simulator:
        assert [ask(simulator).headers["retry-after"] for _ in range(2)] == ["soon", "soon"]
