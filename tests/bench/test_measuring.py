"""What is measured is what the simulator did, to the last digit where one clock rules both; and what fools others does not."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from typing import Any

import pytest

from deepsel.bench.measure import undisturbed
from deepsel.bench.wanted import Wanted
from deepsel.errors import RefusedError

Bench = Callable[..., Any]
FEW = Wanted(requests=4, max_tokens=32)


SLACK_S = 0.3
"""How late a busy machine may be; never how early: nothing is read before it is written."""


def pairs(session: Any, simulator: Any) -> list[tuple[Any, Any]]:
    """Each sample of the one case with the simulator's record of the same request."""
    records = {record.request_id: record for record in simulator.records}
    (result,) = session.results()
    assert result.samples
    return [(sample, records[sample.request_id]) for sample in result.samples]


def is_after(measured: float, true: float) -> bool:
    """Whether a time is the true one or, by a busy machine, a little later."""
    return true <= measured <= true + SLACK_S


@pytest.mark.parametrize("wire", ["openai-chat", "anthropic-messages", "openai-responses"])
def test_times_are_the_simulators(bench: Bench, wire: str) -> None:
    """First byte, first token, time per token and end are what the server's own stamps say, on either wire.

    The head and the opening events, which hold no token, come long before the first one.
    """
    session, simulator = bench(FEW, real=True, wire=wire, headers_s=0.02, ttft_s=0.4, itl_s=0.02, output_tokens=8)
    for sample, record in pairs(session, simulator):
        read, written = record.request_read_s, record.token_written_s
        assert is_after(sample.ttfb_s, record.head_written_s - read)
        assert is_after(sample.ttft_s, written[0] - read)
        assert is_after(sample.e2e_s, written[-1] - read)
        assert sample.tpot_s * 7 == pytest.approx(written[-1] - written[0], abs=SLACK_S)
        assert sum(sample.itl_s) == pytest.approx(sample.tpot_s * 7)
        assert (sample.error, sample.output_tokens, sample.reasoning_ttft_s) == (None, 8, None)


def test_warm_up_does_not_count(bench: Bench) -> None:
    """A first request that takes ten times as long is in no figure, but in the cost of the run."""
    session, simulator = bench(FEW, ttft_s=0.1, output_tokens=2, cold_start_s=1.0)
    (result,) = session.results()
    assert len(simulator.records) == 5
    assert result.distribution("ttft_s").max == pytest.approx(0.1)
    assert len(session.sender.overhead) == 1


@pytest.mark.parametrize("wire", ["openai-chat", "anthropic-messages", "openai-responses"])
@pytest.mark.parametrize("fault", ["keep_alive_comments", "blank_lines", "byte_order_mark"])
def test_what_is_no_token_is_none(bench: Bench, wire: str, fault: str) -> None:
    """Opening events, comments, pings and blank lines come early and are no first token."""
    session, simulator = bench(
        FEW, real=True, wire=wire, ttft_s=0.4, output_tokens=3, fault=(fault,), fault_count=3, fault_interval_s=0.01
    )
    for sample, record in pairs(session, simulator):
        assert is_after(sample.ttft_s, record.token_written_s[0] - record.request_read_s)


@pytest.mark.parametrize("wire", ["openai-chat", "anthropic-messages", "openai-responses"])
@pytest.mark.parametrize("reasoning_tokens", [0, 4])
def test_empty_deltas_are_no_tokens(bench: Bench, wire: str, reasoning_tokens: int) -> None:
    """Deltas without text or reasoning, long before the first token and between tokens, are in no figure."""
    session, simulator = bench(
        FEW, real=True, wire=wire, ttft_s=0.5, itl_s=0.02, reasoning_tokens=reasoning_tokens, output_tokens=8,
        fault=("empty_deltas",), fault_count=3, fault_interval_s=0.01,
    )  # fmt: skip
    others = reasoning_tokens + 8 - 1
    for sample, record in pairs(session, simulator):
        read, said = record.request_read_s, record.reasoning_written_s + record.token_written_s
        assert is_after(sample.ttft_s, record.token_written_s[0] - read)
        assert is_after(sample.e2e_s, said[-1] - read)
        assert (sample.error, sample.output_tokens) == (None, others + 1)
        if reasoning_tokens:
            assert is_after(sample.reasoning_ttft_s, said[0] - read)
        else:
            assert sample.reasoning_ttft_s is None
        assert len(sample.itl_s) <= others, "an empty delta was counted as a token"
        assert sample.tpot_s * others == pytest.approx(said[-1] - said[0], abs=SLACK_S)
        assert sum(sample.itl_s) == pytest.approx(sample.tpot_s * others)


@pytest.mark.parametrize("wire", ["openai-chat", "anthropic-messages", "openai-responses"])
def test_a_whole_answer_has_no_first_token(bench: Bench, wire: str) -> None:
    """One document where a stream was asked for has an end, and no time to first token; that is said."""
    session, _ = bench(FEW, wire=wire, ttft_s=0.1, output_tokens=8, fault=("json_instead_of_stream",))
    (result,) = session.results()
    assert result.distribution("ttft_s").n == 0
    assert [(sample.form, sample.error, sample.output_tokens) for sample in result.samples] == [("whole", None, 8)] * 4
    assert result.distribution("e2e_s").n == 4
    assert any("came whole" in warning for warning in result.warnings)


@pytest.mark.parametrize("wire", ["openai-chat", "anthropic-messages", "openai-responses"])
def test_usage_that_cannot_be_is_counted(bench: Bench, wire: str) -> None:
    """900 million tokens reported for a few are no usage: what was sent and what came are counted."""
    session, _ = bench(FEW, wire=wire, output_tokens=8, fault=("absurd_usage",))
    (result,) = session.results()
    for sample in result.samples:
        assert 0 < sample.input_tokens < 1000
        assert 0 < sample.output_tokens < 100


def test_a_gateways_replay_costs_nothing(bench: Bench) -> None:
    """What a gateway's cache gave asked no model, in a bench as well."""
    session, _ = bench(FEW, output_tokens=8, headers={"x-portkey-cache-status": "HIT"})
    (result,) = session.results()
    assert [sample.cost_usd for sample in result.samples] == [0] * 4


@pytest.mark.parametrize("wire", ["openai-chat", "anthropic-messages", "openai-responses"])
def test_reasoning_is_apart(bench: Bench, wire: str) -> None:
    """The first token is the answer's; the first piece of reasoning has a time of its own, and its tokens count for speed."""
    session, simulator = bench(
        FEW, real=True, wire=wire, ttft_s=0.05, itl_s=0.02, reasoning_tokens=20, output_tokens=5
    )
    for sample, record in pairs(session, simulator):
        read = record.request_read_s
        assert is_after(sample.reasoning_ttft_s, record.reasoning_written_s[0] - read)
        assert is_after(sample.ttft_s, record.token_written_s[0] - read)
        assert sample.ttft_s - sample.reasoning_ttft_s > 0.1
        assert sample.output_tokens == 25
        whole_s = record.token_written_s[-1] - record.reasoning_written_s[0]
        assert sample.tpot_s * 24 == pytest.approx(whole_s, abs=SLACK_S)


@pytest.mark.parametrize(("chunk_tokens", "events_per_write"), [(4, 1), (1, 4), (2, 2)])
def test_time_per_token_counts_tokens(bench: Bench, chunk_tokens: int, events_per_write: int) -> None:
    """Several tokens an event, or several events a read, change the gaps and not the time per token."""
    session, simulator = bench(
        FEW, real=True, itl_s=0.01, output_tokens=32, chunk_tokens=chunk_tokens, events_per_write=events_per_write
    )
    for sample, record in pairs(session, simulator):
        written = record.token_written_s
        assert sample.tpot_s * 31 == pytest.approx(written[-1] - written[0], abs=SLACK_S)
        assert len(sample.itl_s) <= 7


def test_failures_stay_out_of_latency(bench: Bench) -> None:
    """Failed requests are counted by class and told, and no percentile knows them."""
    steps = [{}, {"fault": ("503",)}, {}, {"fault": ("cut_mid_event",)}]  # the first is the warm-up's
    session, _ = bench(FEW, ttft_s=0.2, output_tokens=6, steps=steps)
    (result,) = session.results()
    assert result.errors == {"overloaded": 1, "stream_cut": 1}
    assert result.distribution("ttft_s").n == 2
    assert result.distribution("ttft_s").max == pytest.approx(0.2)
    assert result.error_rate == 0.5
    assert [text for text in result.warnings if text.startswith("failed (")]


def test_a_refusal_ends_the_run_at_once(bench: Bench) -> None:
    """A wrong key is not measured thirty times."""
    with pytest.raises(RefusedError, match="host/quick"):
        bench(FEW, fault=("401",))


def test_no_usage_is_counted(bench: Bench) -> None:
    """Where the provider tells no tokens, ours stand in."""
    session, _ = bench(Wanted(requests=1, warmup=0), real=True, itl_s=0.005, output_tokens=16, fault=("no_usage",))
    (sample,) = session.results()[0].samples
    assert sample.output_tokens
    assert sample.tpot_s == pytest.approx(sum(sample.itl_s) / (sample.output_tokens - 1))


def test_cold_model_and_cold_connection_are_two_numbers(bench: Bench) -> None:
    """After a silence the model is cold on a kept and on a fresh connection alike; only the fresh one is set up."""
    wanted = Wanted(idle_s=(10.0,), rounds=3, max_tokens=4)
    session, _ = bench(wanted, ttft_s=0.2, cold_start_s=1.5, idle_before_cold_s=5.0)
    kept, fresh = session.results()
    for result in (kept, fresh):
        assert result.values("cold_ttft_s") == pytest.approx([1.7] * 3)
        assert result.values("warm_ttft_s") == pytest.approx([0.2] * 3)
        assert result.values("cold_penalty_s") == pytest.approx([1.5] * 3)
    assert (kept.values("connect_s"), len(fresh.values("connect_s"))) == ([], 3)


def test_keep_alive_takes_the_cold_start_away(bench: Bench) -> None:
    """With a request every four seconds nothing is cold after ten; what they cost is told."""
    wanted = Wanted(idle_s=(10.0,), rounds=2, warm_every_s=4.0, max_tokens=4)
    session, simulator = bench(wanted, ttft_s=0.2, cold_start_s=1.5, idle_before_cold_s=5.0)
    kept, _, warmed = session.results()
    assert kept.distribution("cold_penalty_s").p50 == pytest.approx(1.5)
    assert warmed.distribution("cold_penalty_s").max == pytest.approx(0, abs=1e-6)
    assert warmed.case.warm_every_s == 4.0
    assert len(session.sender.overhead) == 1 + 2 * 2
    assert len(simulator.records) == 1 + 4 + 2 * 2 * 3


def test_closed_loop_keeps_so_many_under_way(bench: Bench) -> None:
    """Every request is sent once, whatever the number of threads, and no prompt begins like another."""
    session, simulator = bench(Wanted(requests=20, concurrency=(1, 4), max_tokens=4), real=True, ttft_s=0.01)
    results = session.results()
    assert [(result.case.concurrency, len(result.answered)) for result in results] == [(1, 20), (4, 20)]
    prompts = [call.body["messages"][0]["content"] for call in simulator.calls]
    assert len(prompts) == 1 + 20 + 4 + 20
    assert len({prompt[:24] for prompt in prompts}) == len(prompts)


def test_open_loop_shows_a_stall(bench: Bench) -> None:
    """While the server writes nothing for two seconds requests go on being sent, and their wait is in p99."""
    stalling = {"ttft_s": 0.005, "output_tokens": 2, "stall_s": 2.0, "stall_at_s": 0.3}
    session, _ = bench(Wanted(requests=60, warmup=0, rate=60.0, max_tokens=4), real=True, **stalling)
    (result,) = session.results()
    p99 = result.distribution("ttft_s").p99
    assert p99 is not None
    assert p99 > 1.0
    assert sum(1 for value in result.values("ttft_s") if value > 0.1) >= 10
    assert all(sample.late_s is not None for sample in result.samples)


def test_closed_loop_warns_of_a_stall(bench: Bench) -> None:
    """The same stall holds up one request of a closed loop, and what was not sent meanwhile is told."""
    stalling = {"ttft_s": 0.01, "output_tokens": 2, "stall_s": 2.0, "stall_at_s": 0.3}
    session, _ = bench(Wanted(requests=50, max_tokens=4), **stalling)
    (result,) = session.results()
    assert sum(1 for value in result.values("ttft_s") if value > 0.1) == 1
    assert any("`--rate`" in text and "not sent" in text for text in result.warnings)


def test_cached_prefixes_are_told(bench: Bench) -> None:
    """Made prompts hit no prefix cache; with a shared prefix they do, and that is no warning."""
    sizes = Wanted(requests=3, prompt_tokens=(2000,), max_tokens=2)
    session, _ = bench(sizes, ttft_s=0.1, cached_prefix=True)
    assert {sample.cached_input_tokens for sample in session.results()[0].samples} == {0}
    shared, _ = bench(Wanted(requests=3, prompt_tokens=(2000,), max_tokens=2, shares_prefix=True), cached_prefix=True)
    assert all(sample.cached_input_tokens for sample in shared.results()[0].samples)
    assert not any("prefix" in text for text in shared.results()[0].warnings)


def test_garbage_is_not_collected_meanwhile() -> None:
    """Within the measured part the collector is off and threads take turns quickly; afterwards all is as before."""
    before = sys.getswitchinterval()
    with undisturbed():
        assert not gc.isenabled()
        assert sys.getswitchinterval() < before
    assert gc.isenabled()
    assert sys.getswitchinterval() == before


@pytest.mark.parametrize("wanted", [FEW, Wanted(requests=4, warmup=0), Wanted(requests=4, warmup=0, rate=1000.0)])
def test_what_crashes_in_a_thread_crashes_the_run(bench: Bench, wanted: Wanted) -> None:
    """An error that is no failure of a call ends the measuring with that very error, in warm-up, closed and open loop."""
    with pytest.raises(Exception, match="nonesuch"):
        bench(wanted, wire="nonesuch")
