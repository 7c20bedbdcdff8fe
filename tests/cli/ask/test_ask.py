"""`deepsel ask` as a person or a script runs it: real processes against real servers."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

CONTRACT = {
    "schema", "text", "reasoning", "model", "answered_model", "provider", "profile", "task", "difficulty", "finish",
    "usage", "cost_usd", "price", "timing", "cache", "attempts", "warnings", "tool_calls", "data", "simulated",
}  # fmt: skip


def test_demo_answers_without_a_key_then_from_the_cache(deepsel: Callable[..., Any]) -> None:
    """The demo profile answers on stdout, tells model, tokens, cost and cache on stderr, and is free the second time."""
    first, second = (deepsel("ask", "-p", "demo", "Summarise this", stdin="Some text\n") for _ in range(2))
    assert (first.code, second.code) == (0, 0)
    assert "simulated" in first.out
    assert first.out == second.out
    assert " in, " in first.err
    assert "saved for 1 h" in first.err
    assert "from the cache (disk)" in second.err
    assert "$0 " in second.err


def test_quiet_leaves_stderr_empty(deepsel: Callable[..., Any]) -> None:
    """-q before or after the command's name silences the footer."""
    for arguments in (("-q", "ask", "-p", "demo", "Hi"), ("ask", "-p", "demo", "Hi", "-q")):
        assert deepsel(*arguments).err == ""


@pytest.mark.parametrize("wire", ["openai-chat", "anthropic-messages", "openai-responses"])
@pytest.mark.parametrize("streams", ["--stream", "--no-stream"])
def test_json_record_is_true(
    deepsel: Callable[..., Any], simulate: Callable[..., Any], profiles: Callable[..., Path], wire: str, streams: str
) -> None:
    """Every field of the contract is there, and agrees with what the server did."""
    server = simulate(text="The answer.", ttft_s=0.05)
    profiles(one=(server, wire))
    ran = deepsel("ask", "What is DNS?", "--json", streams)
    record = ran.record()
    assert ran.code == 0, ran.err
    assert set(record) == CONTRACT
    assert record["text"] == "The answer."
    assert (record["model"], record["provider"], record["profile"]) == ("one", "one-host", "main")
    assert record["answered_model"] == "one"
    assert record["finish"] == "complete"
    usage = record["usage"]
    assert usage["source"] == "reported"
    expected = Decimal(usage["input_tokens"]) / 10**6 + 2 * Decimal(usage["output_tokens"]) / 10**6
    assert Decimal(record["cost_usd"]) == expected
    assert record["price"]["rule"] == "standard"
    assert record["timing"]["total_s"] >= record["timing"]["ttft_s"] >= 0.05
    assert [a["outcome"] for a in record["attempts"]] == ["ok"]
    assert record["attempts"][0]["http_status"] == 200
    body = server.calls[0].body
    assert (body.get("max_tokens") or body["max_output_tokens"]) == 4096
    assert body.get("stream", False) is (streams == "--stream")


def test_fall_back_when_the_first_provider_is_dead(
    deepsel: Callable[..., Any], simulate: Callable[..., Any], profiles: Callable[..., Path]
) -> None:
    """With nothing listening at the first, the second answers and both attempts are on record."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        profiles(dead=f"http://127.0.0.1:{port}/v1", alive=(simulate(text="Here."), "anthropic-messages"))
        record = deepsel("ask", "Hi", "--json").record()
    assert record["text"] == "Here."
    assert [(a["model"], a["outcome"], a["error_class"]) for a in record["attempts"]] == [
        ("dead", "failed", "network"),
        ("alive", "ok", None),
    ]
    assert record["attempts"][0]["cost_usd"] == "0"


def test_everybody_dead_is_unavailable(
    deepsel: Callable[..., Any], simulate: Callable[..., Any], profiles: Callable[..., Path]
) -> None:
    """When no provider answers the exit code is 5, stdout is empty, and each failure is named."""
    profiles(a=simulate(fault=("503",)), b=simulate(fault=("500",)), profile="retries = 1")
    ran = deepsel("ask", "Hi")
    assert (ran.code, ran.out) == (5, "")
    assert "a-host/a" in ran.err
    assert "b-host/b" in ran.err


def test_a_wrong_key_is_refused_and_never_shown(
    deepsel: Callable[..., Any], simulate: Callable[..., Any], profiles: Callable[..., Path]
) -> None:
    """A 401 is exit 4 after one call, and the key is in no output."""
    server = simulate(fault=("401",))
    profiles(one=server)
    ran = deepsel("ask", "Hi", "-v", env={"TEST_KEY": "sk-very-secret-987654"})
    assert ran.code == 4
    assert len(server.calls) == 1
    assert "very-secret" not in ran.out + ran.err
    assert "7654" not in ran.out + ran.err


def test_no_key_names_the_variables_and_the_demo(deepsel: Callable[..., Any]) -> None:
    """Without any key ask exits 3, says which variables it looked for, and offers the demo."""
    ran = deepsel("ask", "Hi")
    assert ran.code == 3
    for name in KEYS:
        assert name in ran.err
    assert "-p demo" in ran.err


MAKERS = ("DEEPSEEK", "DASHSCOPE", "MISTRAL", "ANTHROPIC", "OPENAI")
KEYS = {f"{maker}_API_KEY": "sk-test-0123456789" for maker in MAKERS}


def _plan(deepsel: Callable[..., Any], prompt: str) -> Any:
    ran = deepsel("ask", "--explain", "--json", prompt, env=KEYS)
    assert ran.code == 0, ran.err
    return ran.record()


def test_code_goes_to_deepseek_and_stories_do_not(deepsel: Callable[..., Any]) -> None:
    """With all keys set a C++ function is DeepSeek's, a melancholic story is not, and each choice has a reason."""
    code = _plan(deepsel, "Write a C++ function that reverses a linked list")
    story = _plan(deepsel, "Write a melancholic short story about a lighthouse")
    assert code["task"] == "code"
    assert "deepseek" in code["candidates"][0]["provider"]
    assert story["task"] == "creative"
    assert "deepseek" not in story["candidates"][0]["provider"]
    for plan in (code, story):
        assert all(candidate["reasons"] for candidate in plan["candidates"])
        assert all(set(candidate["terms"]) == {"quality", "cost", "latency"} for candidate in plan["candidates"])
        assert all(plan["input_tokens"][c["model"]] > 0 for c in plan["candidates"])


def test_explain_reads_well_and_refuses_with_reasons(deepsel: Callable[..., Any]) -> None:
    """The plan for people names the first choice, the refused with their reasons, and that nothing was sent."""
    ran = deepsel("ask", "--explain", "Hi", env={"DEEPSEEK_API_KEY": "sk-test-0123456789"})
    assert ran.code == 0
    assert "1. deepseek" in ran.out
    assert "MISTRAL_API_KEY" in ran.out
    assert "nothing was sent" in ran.out


def test_nothing_is_sent_over_the_cap(
    deepsel: Callable[..., Any], simulate: Callable[..., Any], profiles: Callable[..., Path]
) -> None:
    """A request that could cost more than --max-cost is exit 7 and no call is made."""
    server = simulate()
    profiles(one=server)
    ran = deepsel("ask", "Hi", "--max-cost", "0.0001")
    assert ran.code == 7, ran.err
    assert server.calls == ()
    assert deepsel("ask", "Hi", "--max-cost", "0.01").code == 0


def test_nobody_can_take_it_is_no_route(
    deepsel: Callable[..., Any], simulate: Callable[..., Any], profiles: Callable[..., Path]
) -> None:
    """A prompt larger than every window is exit 6, with each candidate and its reason."""
    server = simulate()
    profiles(one=server)
    ran = deepsel("ask", "-", stdin="word " * 40_000)
    assert ran.code == 6
    assert "one" in ran.err
    assert server.calls == ()


def test_truncation_asks_the_larger_model_and_says_so_otherwise(
    deepsel: Callable[..., Any], simulate: Callable[..., Any], profiles: Callable[..., Path]
) -> None:
    """A cut answer is asked again whole on larger_context; without one it is printed with exit 8 and not stored."""
    cut, wide = simulate(fault=("length",)), simulate(text="Whole.")
    profiles(
        quick=cut,
        extra=f'[providers.w]\nwire="openai-chat"\nbase_url="{wide.base_url}"\n'
        '[models.wide]\nprovider="w"\ncontext_window=900000\nmax_output=60000\n',
        profile='larger_context = ["wide"]',
    )
    record = deepsel("ask", "Tell me", "--json").record()
    assert record["text"] == "Whole."
    assert [(a["model"], a["error_class"]) for a in record["attempts"]] == [("quick", "truncated"), ("wide", None)]

    profiles(quick=cut)
    ran = deepsel("ask", "Tell me more")
    assert ran.code == 8
    assert ran.out
    assert "larger_context" in ran.err
    again = deepsel("ask", "Tell me more", "--json")
    assert again.code == 8
    assert again.record()["finish"] == "length"
    assert again.record()["cache"]["status"] == "miss"


def test_a_cut_stream_in_a_pipe_is_repaired_by_the_next(
    deepsel: Callable[..., Any], simulate: Callable[..., Any], profiles: Callable[..., Path]
) -> None:
    """Into a pipe nothing is written before it is whole, so a stream that breaks off is asked elsewhere, unmixed."""
    profiles(one=simulate(text="First words of one", fault=("cut_mid_event",)), two=simulate(text="All of two."))
    ran = deepsel("ask", "Hi")
    assert (ran.code, ran.out) == (0, "All of two.\n")


def test_a_cut_stream_that_was_shown_stays_and_is_said(
    deepsel: Callable[..., Any], simulate: Callable[..., Any], profiles: Callable[..., Path]
) -> None:
    """With --stream what was shown cannot be taken back: nobody else is asked, exit 8."""
    other = simulate(text="All of two.")
    profiles(one=simulate(text="First words of the answer", fault=("cut_mid_event",)), two=other)
    ran = deepsel("ask", "Hi", "--stream")
    assert ran.code == 8
    assert ran.out.startswith("First")
    assert "two" not in ran.out
    assert other.calls == ()


def test_schema_is_validated_and_a_wrong_answer_is_a_failed_attempt(
    deepsel: Callable[..., Any], simulate: Callable[..., Any], profiles: Callable[..., Path], tmp_path: Path
) -> None:
    """An answer that does not satisfy the schema goes to the next candidate; a fence around JSON is taken off."""
    schema = tmp_path / "s.json"
    schema.write_text(json.dumps({"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}}))
    profiles(bad=simulate(text='{"nome": 1}'), good=simulate(text='```json\n{"name": "Ann"}\n```'))
    record = deepsel("ask", "A person", "--schema", str(schema), "--json").record()
    assert json.loads(record["text"]) == {"name": "Ann"}
    assert [a["error_class"] for a in record["attempts"]] == ["schema", None]
    profiles(bad=simulate(text='{"nome": 1}'))
    ran = deepsel("ask", "A person", "--schema", str(schema))
    assert ran.code == 8
    assert "schema" in ran.err


def test_output_is_atomic_and_a_cut_answer_stands_beside_it(
    deepsel: Callable[..., Any], simulate: Callable[..., Any], profiles: Callable[..., Path], tmp_path: Path
) -> None:
    """--output replaces a file only by a whole answer."""
    path = tmp_path / "answer.txt"
    profiles(one=simulate(text="Whole."))
    assert deepsel("ask", "Hi", "-o", str(path)).code == 0
    assert path.read_text() == "Whole.\n"
    profiles(one=simulate(fault=("length",)))
    assert deepsel("ask", "Hi again", "-o", str(path)).code == 8
    assert path.read_text() == "Whole.\n"
    assert (tmp_path / "answer.txt.partial").read_text()


def test_cache_options(
    deepsel: Callable[..., Any], simulate: Callable[..., Any], profiles: Callable[..., Path]
) -> None:
    """Deterministic requests are kept; --no-cache skips, --refresh asks anew, another parameter is another request."""
    server = simulate()
    profiles(one=server)

    def status(*arguments: str) -> str:
        return str(deepsel("ask", "Hi", "--json", *arguments).record()["cache"]["status"])

    assert [status(), status()] == ["stored", "hit"]
    assert status("--no-cache") == "off"
    assert status("--refresh") == "stored"
    assert status("--temperature", "0.7", "--param", "seed=null") == "off"
    assert status("--temperature", "0.7", "--param", "seed=null", "--cache") == "stored"
    assert status("--max-tokens", "77") == "stored"
    assert len(server.calls) == 6


def test_a_hit_says_what_it_was_and_costs_nothing(
    deepsel: Callable[..., Any], simulate: Callable[..., Any], profiles: Callable[..., Path]
) -> None:
    """The record of a hit has the tokens it once took, a cost of zero and no attempt; nothing is sent."""
    server = simulate(text="Kept.")
    profiles(one=server)
    first, second = deepsel("ask", "Hi", "--json").record(), deepsel("ask", "Hi", "--json").record()
    assert second["text"] == "Kept."
    assert second["usage"] == first["usage"]
    assert (second["cost_usd"], second["attempts"], second["cache"]["tier"]) == ("0", [], "disk")
    assert len(server.calls) == 1


def test_params_travel_as_typed(
    deepsel: Callable[..., Any], simulate: Callable[..., Any], profiles: Callable[..., Path]
) -> None:
    """--param values are JSON where they read as such, and text otherwise."""
    server = simulate()
    profiles(one=server)
    arguments = ("--param", "top_p=0.9", "--param", "user=me", "--param", 'stop=["x"]', "--system", "Be brief")
    assert deepsel("ask", "Hi", *arguments).code == 0
    body = server.calls[0].body
    assert (body["top_p"], body["user"], body["stop"]) == (0.9, "me", ["x"])
    assert body["messages"][0] == {"role": "system", "content": "Be brief"}
    assert (body["temperature"], body["seed"]) == (0, 7)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("ask",), "no prompt"),
        (("ask", "Hi", "--difficulty", "2"), "--difficulty"),
        (("ask", "Hi", "--temperature", "nan"), "--temperature"),
        (("ask", "Hi", "--max-tokens", "0"), "--max-tokens"),
        (("ask", "Hi", "--strategy", "quickest"), "--strategy"),
        (("ask", "Hi", "--task", "cods"), "code"),
        (("ask", "Hi", "--max-cost", "lots"), "--max-cost"),
        (("ask", "Hi", "--param", "x"), "KEY=VALUE"),
        (("ask", "Hi", "--schema", "/nowhere.json"), "/nowhere.json"),
        (("ask", "Hi", "--file", "/nowhere.txt"), "/nowhere.txt"),
        (("ask", "Hi", "--output", "/nowhere/x"), "/nowhere"),
        (("ask", "Hi", "--refresh", "--no-cache"), "--refresh"),
        (("ask", "Hi", "--modle", "x"), "--modle"),
        (("aks", "Hi"), "aks"),
        (("ask", "Hi", "--timeout", "-1"), "--timeout"),
    ],
)
def test_wrong_words_are_one_clear_line(deepsel: Callable[..., Any], arguments: tuple[str, ...], words: str) -> None:
    """A mistake on the command line is exit 2 with one error line that names it, and a hint."""
    ran = deepsel(*arguments)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("error: ")
    assert words in ran.err
    assert "Traceback" not in ran.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("ask", "Hi", "-p", "demi"), "`demo`"),
        (("ask", "Hi", "-m", "deepseek-flsh"), "`deepseek-flash`"),
        (("ask", "Hi", "--config", "/nowhere.toml"), "/nowhere.toml"),
    ],
)
def test_wrong_names_are_configuration_errors(
    deepsel: Callable[..., Any], arguments: tuple[str, ...], words: str
) -> None:
    """An unknown profile or model is exit 3 with the nearest name."""
    ran = deepsel(*arguments)
    assert ran.code == 3
    assert words in ran.err


def test_a_closed_pipe_is_quiet(home: Path) -> None:
    """When the reader of our pipe goes away deepsel ends without a word and with success."""
    command = f"{sys.executable} -m deepsel -q ask -p demo --stream 'Write a long text' ; echo code=$? >&2"
    done = subprocess.run(
        ["bash", "-c", f"({command}) | head -c 1"], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stderr.strip() == "code=0"


COUNTING = {"text": "one two three four five six seven eight nine ten " * 20, "itl_s": 0.05}


def _interrupted(server: Any, profiles: Callable[..., Path], sent: signal.Signals, *more: str) -> tuple[bytes, bytes]:
    """Ask, send a signal when some tokens have come, check the exit code; return stdout and stderr."""
    profiles(one=server)
    process = subprocess.Popen(
        [sys.executable, "-m", "deepsel", "ask", "Count", *more],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        env=dict(os.environ),
    )
    while not any(len(record.token_written_s) > 5 for record in server.records):
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(sent)
    out, err = process.communicate(timeout=100)
    assert process.returncode == 130, err
    return out, err


def test_ctrl_c_keeps_what_came(home: Path, simulate: Callable[..., Any], profiles: Callable[..., Path]) -> None:
    """Interrupted in the middle of an answer, deepsel prints what has come and exits 130."""
    out, err = _interrupted(simulate(**COUNTING), profiles, signal.SIGINT)
    assert out.decode().startswith("one")
    assert b"Traceback" not in err


def test_locale_does_not_matter(
    deepsel: Callable[..., Any], simulate: Callable[..., Any], profiles: Callable[..., Path]
) -> None:
    """Text of any script leaves and arrives as UTF-8, even where the locale is plain C."""
    server = simulate(text="你好, žluťoučký 🙂")
    profiles(one=server)
    ran = deepsel("ask", "Grüße", env={"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii"})
    assert ran.out == "你好, žluťoučký 🙂\n"
    assert server.calls[0].body["messages"][0]["content"] == "Grüße"


def test_near_commands_are_hinted(deepsel: Callable[..., Any]) -> None:
    """A mistyped command or option is told with the ones it is near to."""
    assert deepsel("aks").err == "error: no such command 'aks'\n\nhint: did you mean 'ask'?\n"
    assert "did you mean" in deepsel("ask", "Hi", "--modle", "x").err


def test_ctrl_c_is_priced_and_said(home: Path, simulate: Callable[..., Any], profiles: Callable[..., Path]) -> None:
    """An interrupted call stands in the record and the log with the cost of what came, and a word says so."""
    out, err = _interrupted(simulate(**COUNTING), profiles, signal.SIGTERM, "--json")
    record = json.loads(out)
    assert Decimal(record["cost_usd"]) > 0
    assert [(a["outcome"], a["error_class"]) for a in record["attempts"]] == [("cancelled", None)]
    assert record["usage"]["source"] == "counted"
    assert b"interrupted" in err


@pytest.mark.parametrize("member", ["model=x", "messages=[]", "stream=false", "n=50", "stream_options=null"])
def test_params_that_would_deceive_are_refused(deepsel: Callable[..., Any], member: str) -> None:
    """What decides whom deepsel asks, what for and how it reads the answer is no raw parameter."""
    ran = deepsel("ask", "-p", "demo", "Hi", "--param", member)
    assert (ran.code, ran.out) == (2, "")


def test_a_length_by_another_name_is_bound_by_the_cap(
    deepsel: Callable[..., Any], simulate: Callable[..., Any], profiles: Callable[..., Path]
) -> None:
    """--param max_tokens is --max-tokens, so that the cost cap sees it."""
    server = simulate()
    profiles(one=server)
    assert deepsel("ask", "Hi", "--max-cost", "0.001", "--param", "max_completion_tokens=4000").code == 7
    assert server.calls == ()


def test_messages_from_standard_input(
    deepsel: Callable[..., Any], simulate: Callable[..., Any], profiles: Callable[..., Path]
) -> None:
    """`--messages -` reads the list from standard input."""
    server = simulate()
    profiles(one=server)
    assert deepsel("ask", "--messages", "-", stdin='[{"role": "user", "content": "Hi"}]').code == 0
    assert server.calls[0].body["messages"] == [{"role": "user", "content": "Hi"}]


@pytest.mark.parametrize(
    "schema", ['{"$ref": "#"}', '{"$schema": 5}', '{"$ref": "http://127.0.0.1:1/x"}', '{"$ref": "#/no"}']
)
def test_a_schema_that_cannot_work_is_refused_before_it_costs(
    deepsel: Callable[..., Any],
    simulate: Callable[..., Any],
    profiles: Callable[..., Path],
    tmp_path: Path,
    schema: str,
) -> None:
    """A reference that leads nowhere or in a circle is a usage error, and nothing is sent."""
    server = simulate()
    profiles(one=server)
    (tmp_path / "s.json").write_text(schema)
    assert deepsel("ask", "Hi", "--schema", str(tmp_path / "s.json")).code == 2
    assert server.calls == ()


def test_a_kept_answer_is_free_whatever_the_cap(
    deepsel: Callable[..., Any], simulate: Callable[..., Any], profiles: Callable[..., Path]
) -> None:
    """A hit costs nothing, so no limit on cost stands in its way."""
    profiles(one=simulate(text="Kept."))
    assert deepsel("ask", "Hi").code == 0
    ran = deepsel("ask", "Hi", "--max-cost", "0")
    assert (ran.code, ran.out) == (0, "Kept.\n")


def test_a_candidate_may_be_its_own_reserve(
    deepsel: Callable[..., Any], simulate: Callable[..., Any], profiles: Callable[..., Path]
) -> None:
    """A model in both lists is asked again with room for four times the length."""
    server = simulate(text="Whole.", steps=({"fault": ("length",)},))
    profiles(one=server, profile='larger_context = ["one"]')
    record = deepsel("ask", "Hi", "--json", "--max-tokens", "64").record()
    assert record["text"] == "Whole."
    assert [call.body["max_tokens"] for call in server.calls] == [64, 256]


def test_closed_and_full_outputs_are_told(home: Path) -> None:
    """A full disk behind standard output is one clear line; a closed stderr is nobody's business."""
    base = f"{sys.executable} -m deepsel ask -p demo Hi < /dev/null"
    full = subprocess.run(
        ["bash", "-c", f"{base} > /dev/full"], capture_output=True, text=True, timeout=60, check=False
    )
    assert full.returncode == 2
    assert "cannot write to standard output" in full.stderr
    closed = subprocess.run(["bash", "-c", f"{base} 2>&-"], capture_output=True, text=True, timeout=60, check=False)
    assert closed.returncode == 0


def test_a_key_that_cannot_be_one_is_a_configuration_error(
    deepsel: Callable[..., Any], simulate: Callable[..., Any], profiles: Callable[..., Path]
) -> None:
    """A malformed key is exit 3: nothing was sent, and it is not quoted."""
    server = simulate()
    profiles(one=server)
    ran = deepsel("ask", "Hi", env={"TEST_KEY": "sk bad key"})
    assert (ran.code, server.calls) == (3, ())
    assert "bad key" not in ran.err
