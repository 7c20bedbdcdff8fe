"""The verbs of `import deepsel` as a program uses them: real simulators, real files, many threads."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import deepsel
from deepsel.cli.ask.request import OWN
from deepsel.client.options import DEFAULTS, PARAMS_ELSEWHERE, AskKeywords
from deepsel.health.sqlite_state import SqliteState

Simulate = Callable[..., Any]
Profiles = Callable[..., Path]
SCHEMA = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}


@pytest.mark.parametrize("wire", ["openai-chat", "anthropic-messages", "openai-responses"])
def test_an_answer_says_what_the_server_did(simulate: Simulate, profiles: Profiles, wire: str) -> None:
    """`ask` returns the record: text, model, usage, cost, attempts."""
    profiles(one=(simulate(text="The answer."), wire))
    answer = deepsel.ask("What is DNS?")
    assert (answer.text, answer.model, answer.profile, answer.finish) == ("The answer.", "one", "main", "complete")
    assert answer.usage.source == "reported"
    assert answer.cost_usd == deepsel.price(
        "one", input_tokens=answer.usage.input_tokens or 0, output_tokens=answer.usage.output_tokens or 0
    )
    assert [attempt.outcome for attempt in answer.attempts] == ["ok"]


def test_the_second_identical_call_is_a_hit(simulate: Simulate, profiles: Profiles, deepsel: Callable[..., Any]) -> None:
    """One call serves the same client, another one, and the command line."""
    from deepsel import Client, ask

    server = simulate(text="Once.")
    profiles(one=server)
    with Client() as client:
        first, second = (client.ask("What is DNS?") for _ in range(2))
    assert (first.cache.status, second.cache.status, ask("What is DNS?").cache.status) == ("stored", "hit", "hit")
    assert (second.text, second.cost_usd) == ("Once.", 0)
    assert deepsel("ask", "What is DNS?", "--json").record()["cache"]["status"] == "hit"
    assert len(server.calls) == 1


def test_the_cache_does_as_it_is_told(simulate: Simulate, profiles: Profiles) -> None:
    """`cache=False` uses it for none, `cache=True` for any, `refresh=True` asks anew and keeps the new answer."""
    server = simulate(text="New.", steps=({"text": "Old."},))
    profiles(one=server, profile="temperature = 1\nseed = 1")
    with deepsel.Client() as client:
        given: list[dict[str, Any]] = [{}, {"cache": False}, {"refresh": True}, {"cache": True}, {"cache": True}]
        found = [client.ask("Hi", **options) for options in given]
    assert [one.cache.status for one in found] == ["stored", "off", "stored", "hit", "hit"]
    assert [one.text for one in found] == ["Old.", "New.", "New.", "New.", "New."]
    assert len(server.calls) == 3


def test_files_stand_behind_the_prompt(simulate: Simulate, profiles: Profiles, tmp_path: Path) -> None:
    """Texts come in a tag that names them, as `ask -f` sends them; one that is not there is refused before anything is sent."""
    server = simulate(text="Hello.")
    profiles(one=server)
    note = tmp_path / "note.txt"
    note.write_text("Remember the milk.\n")
    deepsel.ask("What is in it?", files=[note])
    sent = server.calls[0].body["messages"][-1]["content"]
    assert sent == f'What is in it?\n\n<document name="{note}">\nRemember the milk.\n</document>'
    with pytest.raises(deepsel.UsageError, match="does not exist"):
        deepsel.ask("What is in it?", files=[tmp_path / "none.txt"])
    with pytest.raises(deepsel.UsageError, match="`files` is a list"):
        deepsel.ask("What is in it?", files=str(note))
    assert len(server.calls) == 1


def test_options_reach_the_provider(simulate: Simulate, profiles: Profiles) -> None:
    """What is said of one request stands in its body, over the profile's own."""
    server = simulate(text='{"name": "Ada"}')
    profiles(one=simulate(text="Not me."), two=server)
    answer = deepsel.ask(
        "A person", model="two", system="Be brief.", schema=SCHEMA, max_tokens=77, temperature=0.5, seed=3,
        params={"top_p": 0.9}, task="structured", difficulty=0.25, strategy="best", timeout_s=30, max_cost_usd=0.05,
    )  # fmt: skip
    body = server.calls[0].body
    assert {name: body[name] for name in ("max_tokens", "temperature", "seed", "top_p")} == {
        "max_tokens": 77, "temperature": 0.5, "seed": 3, "top_p": 0.9,
    }  # fmt: skip
    assert body["messages"][0]["role"] == "system"
    assert body["messages"][0]["content"].startswith("Be brief.")
    assert (answer.task, answer.difficulty, json.loads(answer.text)) == ("structured", 0.25, {"name": "Ada"})


FAILURES: dict[str, tuple[dict[str, Any], list[str], dict[str, Any], type[deepsel.DeepselError]]] = {
    "refused": ({"fault": ("401",)}, [], {}, deepsel.RefusedError),
    "unavailable": ({"fault": ("503",)}, [], {}, deepsel.UnavailableError),
    "cut": ({"text": "First words of it", "fault": ("length",)}, [], {}, deepsel.IncompleteError),
    "over budget": ({}, ["--max-cost", "0.000001"], {"max_cost_usd": "0.000001"}, deepsel.OverBudgetError),
    "unknown model": ({}, ["-m", "nobody"], {"model": "nobody"}, deepsel.ConfigError),
    "unknown profile": ({}, ["-p", "nobody"], {"profile": "nobody"}, deepsel.ConfigError),
    "no prompt": ({}, [], {"prompt": " "}, deepsel.UsageError),
    "too long": ({}, [], {"prompt": "word " * 40_000}, deepsel.NoRouteError),
}


@pytest.mark.parametrize("name", FAILURES)
def test_a_failure_is_the_command_lines(
    simulate: Simulate, profiles: Profiles, deepsel: Callable[..., Any], name: str
) -> None:
    """What `ask` raises is the error whose exit code the command line ends with."""
    from deepsel import ask

    behaviour, arguments, options, kind = FAILURES[name]
    profiles(one=simulate(**behaviour), profile="retries = 0")
    prompt = options.get("prompt", "What is DNS?")
    with pytest.raises(kind) as caught:
        ask(**{"prompt": prompt, **options})
    assert type(caught.value) is kind
    assert deepsel("ask", *arguments, "--no-cache", stdin=prompt).code == caught.value.exit_code


def test_a_missing_key_is_named(simulate: Simulate, profiles: Profiles, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without its key nobody is asked, and the variable is named."""
    server = simulate()
    profiles(one=server)
    monkeypatch.delenv("TEST_KEY")
    with pytest.raises(deepsel.ConfigError, match="TEST_KEY"):
        deepsel.ask("Hi")
    assert not server.calls


def test_a_part_is_never_the_whole(simulate: Simulate, profiles: Profiles) -> None:
    """An answer that is not whole is raised, with its text, its cost and its attempts."""
    profiles(one=simulate(text="First words of the answer", fault=("cut_mid_event",)), profile="retries = 0")
    with pytest.raises(deepsel.IncompleteError) as caught:
        deepsel.ask("Hi")
    part = caught.value.answer
    assert part.text
    assert "First words of the answer".startswith(part.text)
    assert [attempt.outcome for attempt in part.attempts] == ["failed"]
    assert part.finish == "incomplete"


def test_a_failure_carries_what_was_tried(simulate: Simulate, profiles: Profiles) -> None:
    """The record of the attempts comes with the error; it has no text."""
    profiles(one=simulate(fault=("401",)), two=simulate(fault=("401",)))
    with pytest.raises(deepsel.RefusedError) as caught:
        deepsel.ask("Hi")
    assert [attempt.model for attempt in caught.value.answer.attempts] == ["one", "two"]
    assert caught.value.answer.text == ""


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"strategy": "luckiest"}, "`strategy` must be one of"),
        ({"task": "cook"}, "there is no task `cook`"),
        ({"difficulty": 1.5}, "`difficulty` must be"),
        ({"max_tokens": 0}, "`max_tokens` must be"),
        ({"temperature": -1}, "`temperature` must be"),
        ({"timeout_s": 0}, "`timeout_s` must be"),
        ({"max_cost_usd": "a lot"}, "`max_cost_usd` must be"),
        ({"max_cost_usd": float("nan")}, "`max_cost_usd` must be"),
        ({"model": []}, "`model` names nobody"),
        ({"model": [""]}, "`model` must be"),
        ({"cache": False, "refresh": True}, "`refresh=True`"),
        ({"schema": {"type": "nonsense"}}, "the schema is not a valid JSON Schema"),
        ({"params": {"max_completion_tokens": 5}}, "`params` does not take `max_completion_tokens`"),
        ({"params": {"top_p": {1, 2}}}, "`params` must be a JSON object"),
    ],
)
def test_a_wrong_value_is_one_clear_line(
    simulate: Simulate, profiles: Profiles, options: dict[str, Any], words: str
) -> None:
    """A value that cannot be is refused by the name of its argument, before anything is sent."""
    server = simulate()
    profiles(one=server)
    with pytest.raises(deepsel.UsageError) as caught:
        deepsel.ask("Hi", **options)
    assert caught.value.message.startswith(words)
    assert "\n" not in caught.value.message
    assert not server.calls


def test_an_unknown_option_is_a_type_error() -> None:
    """A misspelt argument is Python's own error, with what was meant."""
    with pytest.raises(TypeError, match=r"`modle`.*model"):
        deepsel.ask("Hi", modle="one")  # type: ignore[call-arg]


def test_params_are_closed_to_what_the_command_line_closes_them_to() -> None:
    """Both ways in refuse the same members."""
    assert set(PARAMS_ELSEWHERE) == set(OWN)


def test_every_option_has_a_default_and_is_shown() -> None:
    """`inspect` and `help()` see the options by name, on the module's verbs and the client's."""
    import inspect

    assert set(DEFAULTS) == set(AskKeywords.__annotations__)
    for verb in (deepsel.ask, deepsel.stream, deepsel.Client.ask, deepsel.Client.stream):
        shown = inspect.signature(verb).parameters
        assert {name: shown[name].default for name in DEFAULTS} == dict(DEFAULTS)


def test_a_client_takes_its_own_environment(
    simulate: Simulate, profiles: Profiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With `env` and `config` given, the process's environment is not read, and files are kept where `env` says."""
    path = profiles(one=simulate(text="Here."))
    env = {"DEEPSEL_HOME": str(tmp_path / "own"), "TEST_KEY": "sk-own-0123456789"}
    for name in ("TEST_KEY", "DEEPSEL_HOME"):
        monkeypatch.delenv(name)
    with deepsel.Client(env=env, config=path) as client:
        assert client.ask("Hi").text == "Here."
    assert (tmp_path / "own" / "data").is_dir()


def test_a_clients_profile_serves_calls_that_name_none(simulate: Simulate, profiles: Profiles) -> None:
    """`Client(profile=...)` is the default; an unknown one is refused at once."""
    profiles(one=simulate(text="Own."))
    with deepsel.Client(profile="demo") as client:
        assert client.ask("Hi").profile == "demo"
        assert client.ask("Hi", profile="main").text == "Own."
    with pytest.raises(deepsel.ConfigError, match="nobody"):
        deepsel.Client(profile="nobody")


def test_no_key_is_shown(simulate: Simulate, profiles: Profiles) -> None:
    """The key is in no repr and no text of the client, an answer, a stream or an error."""
    key = os.environ["TEST_KEY"]
    profiles(good=simulate(), bad=simulate(fault=("401",)))
    with deepsel.Client() as client:
        answer, stream = client.ask("Hi", model="good"), client.stream("Ho", model="good")
        with pytest.raises(deepsel.RefusedError) as caught:
            client.ask("Hi", model="bad")
        shown = [client, answer, stream, caught.value, caught.value.answer]
        assert not [one for one in shown if key in repr(one) + str(one)]
        stream.close()


def test_a_closed_client_says_so(simulate: Simulate, profiles: Profiles) -> None:
    """After its `with` a client answers nothing any more."""
    profiles(one=simulate())
    with deepsel.Client() as client:
        pass
    for call in (lambda: client.ask("Hi"), lambda: client.stream("Hi"), lambda: client.estimate("Hi", models="one")):
        with pytest.raises(deepsel.UsageError, match="closed"):
            call()


def test_many_threads_share_a_client(simulate: Simulate, profiles: Profiles, home: Path) -> None:
    """64 threads ask one client at once: each gets the answer to its own question, and each call is on record."""
    server = simulate()
    profiles(one=server)
    with deepsel.Client() as client, ThreadPoolExecutor(64) as pool:
        answers = list(pool.map(lambda number: client.ask(f"{number} is my number"), range(64)))
    assert [f'begins: "{number} is my number"' in answer.text for number, answer in enumerate(answers)] == [True] * 64
    assert len(server.calls) == 64
    with SqliteState(home / "data") as state:
        assert [row.outcome for row in state.since(0).value or []] == ["ok"] * 64


def test_threads_with_one_question_send_it_once(simulate: Simulate, profiles: Profiles) -> None:
    """The same question of 64 threads is paid for once."""
    server = simulate(text="One for all.", ttft_s=0.2)
    profiles(one=server)
    with deepsel.Client() as client, ThreadPoolExecutor(64) as pool:
        answers = list(pool.map(lambda _: client.ask("What is DNS?"), range(64)))
    assert {answer.text for answer in answers} == {"One for all."}
    assert len(server.calls) == 1


# --- costs ------------------------------------------------------------------------------------------------------------


def test_an_estimate_is_the_command_lines(tmp_path: Path, deepsel: Callable[..., Any]) -> None:
    """A text and a file that holds it cost the same, and what `deepsel estimate` says."""
    from deepsel import estimate

    text = "What will this cost? " * 50
    path = tmp_path / "prompt.txt"
    path.write_text(text, "utf-8")
    of_text = estimate(text, models=["gpt-6-luna", "mistral-large-4"], output_tokens=100)
    of_path = estimate([path], models=["gpt-6-luna", "mistral-large-4"], output_tokens=100)
    costs = [[(row.model, row.input_tokens, row.total_usd) for row in one.totals] for one in (of_text, of_path)]
    assert costs[0] == costs[1]
    assert [one.path for one in of_text.reading.inputs] == ["text 1"]
    ran = deepsel(
        "estimate", str(path), "-m", "gpt-6-luna", "-m", "mistral-large-4", "--output-tokens", "100", "--format", "json"
    )
    rows = ran.record()["rows"]
    assert [(row["model"], row["input_tokens"], Decimal(row["total_usd"])) for row in rows] == costs[0]


def test_an_estimate_without_models_prices_all_or_the_profiles() -> None:
    """No name: every model there is, but the demo's; a client with a profile: its candidates."""
    every = {row.model for row in deepsel.estimate("Hello").totals}
    assert {"gpt-6-luna", "deepseek-flash"} < every
    assert not any(name.startswith("demo-") for name in every)
    with deepsel.Client(profile="demo") as client:
        assert all(row.model.startswith("demo-") for row in client.estimate(["Hello", "you"]).totals)


@pytest.mark.parametrize(
    ("given", "options", "words"),
    [
        (Path("no/such/file"), {}, "no/such/file"),
        ([], {}, "nothing to estimate"),
        ("Hi", {"output_tokens": -1}, "`output_tokens` must be"),
    ],
)
def test_an_estimate_of_nothing_is_refused(given: Any, options: dict[str, Any], words: str) -> None:
    """What cannot be read or counted is said."""
    with pytest.raises(deepsel.UsageError, match=words):
        deepsel.estimate(given, models="gpt-6-luna", **options)


def test_a_path_called_like_standard_input_is_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The library never reads standard input."""
    (tmp_path / "-").write_text("Hello world")
    monkeypatch.chdir(tmp_path)
    assert deepsel.estimate(Path("-"), models="gpt-6-luna").totals[0].input_tokens > 0


def test_a_price_is_the_tables(profiles: Profiles) -> None:
    """Input, cached input and output at the price in force; the cached part is a part of the input."""
    profiles(one="http://127.0.0.1:9/v1")
    million = 10**6
    assert deepsel.price("one", input_tokens=million, output_tokens=0) == Decimal(1)
    assert deepsel.price("one", input_tokens=0, output_tokens=million) == Decimal(2)
    assert deepsel.price("one", input_tokens=million, output_tokens=0, cached_input_tokens=million) == Decimal("0.1")


def test_a_price_is_that_of_its_hour() -> None:
    """`at` decides between peak and off-peak, in whatever zone it is given."""
    peak, off_peak = datetime(2026, 11, 24, 2, tzinfo=UTC), datetime(2026, 11, 24, 12, tzinfo=UTC)
    prices = [
        deepsel.price("deepseek-flash", input_tokens=1000, output_tokens=1000, at=at) for at in (peak, off_peak)
    ]
    assert prices[0] == 2 * prices[1]


@pytest.mark.parametrize(
    ("model", "options", "kind"),
    [
        ("nobody", {}, deepsel.ConfigError),
        ("openai/unheard-of", {}, deepsel.ConfigError),
        ("gpt-6-luna", {"cached_input_tokens": 11}, deepsel.UsageError),
        ("gpt-6-luna", {"input_tokens": -1}, deepsel.UsageError),
        ("gpt-6-luna", {"at": datetime(2026, 11, 24)}, deepsel.UsageError),
    ],
)
def test_a_price_that_is_not_known_is_never_nothing(
    model: str, options: dict[str, Any], kind: type[deepsel.DeepselError]
) -> None:
    """An unknown model, an unknown price and counts that cannot be are errors."""
    with pytest.raises(kind):
        deepsel.price(model, **{"input_tokens": 10, "output_tokens": 10, **options})


def test_score_is_the_routers() -> None:
    """The public name and the router's are one function; a client has it too."""
    from deepsel.routing.difficulty import score

    assert deepsel.score is score
    assert deepsel.Client.score("What is DNS?") == score("What is DNS?")
