"""The scenarios that come with deepsel; every fault of `faults` can be played by its own name besides."""

from __future__ import annotations

from collections.abc import Mapping

from deepsel.simulator.scenario import Behaviour, Scenario

_SLOW_COLD = Behaviour(ttft_s=0.2, itl_s=0.01, cold_start_s=3.0, idle_before_cold_s=60.0)
_SOME_FAULTS = ("429", "500", "503", "disconnect_before_headers", "cut_mid_event")

_SCENARIOS = (
    Scenario("default", "every answer is whole and comes at once"),
    Scenario("demo", "quick and well-behaved, as `--profile demo` has it",
             Behaviour(headers_s=0.02, ttft_s=0.05, itl_s=0.002, cached_prefix=True)),
    Scenario("realistic", "first token after 0.4 s, then 60 tokens a second",
             Behaviour(headers_s=0.15, ttft_s=0.4, itl_s=1 / 60, cached_prefix=True)),
    Scenario("slow-first-token", "first token after 5 s", Behaviour(ttft_s=5.0, itl_s=0.01)),
    Scenario("slow-tokens", "5 tokens a second", Behaviour(ttft_s=0.3, itl_s=0.2)),
    Scenario("cold-start", "3 s more for the first call, and after a minute without any", _SLOW_COLD),
    Scenario("stalling", "every 20 s nothing is written for 2 s",
             Behaviour(ttft_s=0.1, itl_s=0.01, stall_s=2.0, stall_at_s=10.0, stall_every_s=20.0)),
    Scenario("rate-limited", "2 calls a second to a model, then 429 with the wait", Behaviour(limit_requests=2)),
    Scenario("busy", "4 calls at once to a model, then 429", Behaviour(ttft_s=0.5, itl_s=0.01, max_concurrent=4)),
    Scenario("overloaded", "always 529", Behaviour(fault=("529",))),
    Scenario("first-fails", "the first call meets a 503, the others go well", steps=({"fault": ("503",)},)),
    Scenario("flaky", "one call in three fails, each in one of five ways",
             Behaviour(ttft_s=0.05, itl_s=0.002, fault=_SOME_FAULTS, fault_rate=1 / 3, retry_after_s=0.2)),
    Scenario("cut-stream", "every answer breaks off in the middle of an event", Behaviour(fault=("cut_mid_event",))),
    Scenario("truncating", "every answer ends half way with the finish value of the token limit",
             Behaviour(fault=("length",))),
    Scenario("silent-cut", "every answer ends half way with the finish value of a whole one",
             Behaviour(fault=("cut_with_stop",))),
    Scenario("reasoning-only", "reasoning uses up the allowance, no text comes",
             Behaviour(fault=("reasoning_only_length",))),
    Scenario("keep-alive", "keep-alives for 3 s before the first token",
             Behaviour(fault=("keep_alive_comments",), fault_count=30, fault_interval_s=0.1)),
    Scenario("hanging", "the head comes, a token never", Behaviour(fault=("hang_before_first_token",))),
    Scenario("error-in-200", "a 200 whose stream breaks off with an error", Behaviour(fault=("error_event_middle",))),
    Scenario("garbage", "answers no client expects, one after the other", repeat_steps=True,
             steps=tuple({"fault": (name,)} for name in (
                 "malformed_event", "invalid_utf8", "html_200", "json_instead_of_stream", "empty_answer", "204"))),
    Scenario("refusing", "the model refuses every request, with status 200", Behaviour(fault=("refusal",))),
    Scenario("no-usage", "no token counts", Behaviour(fault=("no_usage",))),
    Scenario("wrong-key", "always 401", Behaviour(fault=("401",))),
    Scenario("no-balance", "always 402", Behaviour(fault=("402",))),
    Scenario("small-window", "prompt and answer together may have 1,000 tokens", Behaviour(context_window=1000)),
    Scenario("loading", "503 `Loading model` six times, then every answer is whole", steps=({"fault": ("503_loading",)},) * 6),
    Scenario("no-sampling", "a temperature is refused by name, and so is a seed",
             Behaviour(refused_members=("temperature", "seed"))),
    Scenario("max-completion-tokens", "`max_tokens` is refused, and the other name for it is told",
             Behaviour(refused_members=("max_tokens",))),
    Scenario("stale-connections", "kept connections are closed after each answer",
             Behaviour(fault=("close_after_answer",))),
)  # fmt: skip

BUILT_IN: Mapping[str, Scenario] = {scenario.name: scenario for scenario in _SCENARIOS}
"""By name; `description` is one line."""
