"""`deepsel bench` as a program: formats, limits and exit codes, saving, Ctrl-C, and the examples of the documents."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from deepsel.bench.formats import FORMATS

ROOT = Path(__file__).parents[3]
FAST = ("-n", "3", "--max-tokens", "4", "-q")


@pytest.fixture
def quick(simulate: Callable[..., Any], profiles: Callable[..., Path]) -> Any:
    """A profile with one quick model; gives its simulator."""
    running = simulate(ttft_s=0.01, itl_s=0.005, output_tokens=4)
    profiles(quick=running)
    return running


@pytest.mark.parametrize("form", FORMATS)
def test_each_format(deepsel: Any, quick: Any, home: Path, form: str) -> None:
    """Each format is written, to stdout or to a file, with nothing on stderr."""
    ran = deepsel("bench", *FAST, "--format", form)
    assert (ran.code, ran.err) == (0, "")
    assert "quick" in ran.out
    assert deepsel("bench", *FAST, "--format", form, "-o", "report").out == ""
    assert "quick" in (home / "report").read_text()


def test_record_has_what_was_measured(deepsel: Any, quick: Any) -> None:
    """Cases for every load and prompt, true costs, the machine and the settings; no word of a prompt."""
    ran = deepsel("bench", *FAST, "-c", "1", "-c", "2", "--prompt", "tell me a secret", "--format", "json")
    found = ran.record()
    assert [(case["concurrency"], case["requests"], case["errors"]) for case in found["cases"]] == [(1, 3, {}), (2, 3, {})]
    assert float(found["cost_usd"]) > 0
    assert found["machine"]["python"]
    assert found["settings"]["requests"] == 3
    assert "secret" not in ran.out
    assert len(quick.calls) == 1 + 3 + 2 + 3


def test_what_a_host_refuses_is_not_sent(deepsel: Any, simulate: Any, profiles: Any) -> None:
    """A model is benched as `ask` asks it: what its host refused of what nobody asked for is left out."""
    host = simulate(refused_members=("temperature",), output_tokens=4)
    profiles(quick=host)
    assert deepsel("ask", "--no-cache", "-q", "Hi").code == 0
    ran = deepsel("bench", *FAST, "--format", "json")
    assert (ran.code, ran.record()["cases"][0]["errors"]) == (0, {})
    assert all("temperature" not in call.body for call in host.calls[2:])


def test_demo_needs_no_key(deepsel: Any) -> None:
    """The demo's models are measured without key or file, in turn."""
    found = deepsel("bench", "-p", "demo", "-m", "demo-gpt-6-luna", "-m", "demo-claude-sonnet-5-5", *FAST, "--format", "json").record()
    assert [case["model"] for case in found["cases"]] == ["demo-gpt-6-luna", "demo-claude-sonnet-5-5"]
    first, second = found["cases"]
    assert second["samples"][0]["at_s"] < first["samples"][1]["at_s"]


@pytest.mark.parametrize(
    ("options", "name"),
    [
        (("--max-ttft-p95", "0.001"), "--max-ttft-p95"),
        (("--max-error-rate", "0"), "--max-error-rate"),
    ],
)
def test_failed_check_is_exit_9(deepsel: Any, simulate: Any, profiles: Any, options: tuple[str, ...], name: str) -> None:
    """A crossed limit is exit 9 and named, with the report written."""
    profiles(quick=simulate(ttft_s=0.01, output_tokens=2, steps=[{}, {"fault": ("500",)}]))
    ran = deepsel("bench", *FAST, *options, "--format", "json")
    assert ran.code == 9
    assert f"error: {name}: quick" in ran.err
    assert [check["passed"] for check in ran.record()["checks"]] == [False]


def test_regression_against_a_baseline(deepsel: Any, simulate: Any, profiles: Any, home: Path) -> None:
    """The same server passes against itself; one that takes many times as long fails, with exit 9."""
    options = ("-n", "8", "-c", "4", "--max-tokens", "2", "-q", "--format", "json")
    profiles(quick=simulate(output_tokens=2))
    (home / "base.json").write_text(deepsel("bench", *options).out)
    guarded = (*options, "--baseline", "base.json", "--max-regression", "300%")
    assert deepsel("bench", *guarded).code == 0
    profiles(quick=simulate(ttft_s=1.0, output_tokens=2))
    ran = deepsel("bench", *guarded)
    assert ran.code == 9
    assert "--max-regression ttft_s" in ran.err


def test_cost_cap_sends_nothing(deepsel: Any, quick: Any) -> None:
    """A run that could cost more is exit 7 before the first request; an unknown price cannot be capped."""
    ran = deepsel("bench", *FAST, "--max-cost", "0.000001")
    assert (ran.code, quick.calls) == (7, ())
    assert "could cost" in ran.err
    assert deepsel("bench", *FAST, "--max-cost", "1").code == 0
    assert deepsel("bench", "-m", "quick-host/other", *FAST, "--max-cost", "1").code == 7


def test_save_gives_the_router_the_figures(deepsel: Any, quick: Any, home: Path) -> None:
    """`--save` leaves observations and medians in the data folder; without it nothing is left."""
    assert deepsel("bench", *FAST).code == 0
    assert not (home / "data" / "bench.json").exists()
    assert deepsel("bench", *FAST, "--save").code == 0
    row = json.loads((home / "data" / "bench.json").read_text())["quick"]
    assert row["ttft_s"] >= 0.01
    assert row["tokens_per_s"] > 0


def test_save_profile_keeps_comments(deepsel: Any, quick: Any, home: Path) -> None:
    """The figures are appended to profiles.toml twice over, the second replacing the first; what stands there stays."""
    path = home / "profiles.toml"
    source = f"# my file\n{path.read_text()}# the end\n"
    path.write_text(source)
    for _ in range(2):
        assert deepsel("bench", *FAST, "--save-profile").code == 0
        assert path.read_text().startswith(source.rstrip("\n"))
        assert path.read_text().count("[models.quick.latency]") == 1
    assert deepsel("models", "quick", "--json").code == 0


def test_speed_that_was_not_measured_is_not_saved(deepsel: Any, quick: Any, home: Path) -> None:
    """An answer of one token has no speed: nothing is saved, and that is said."""
    ran = deepsel("bench", "-n", "2", "--max-tokens", "1", "--save")
    assert "the speed of quick was not measured" in ran.err
    assert "quick" not in (home / "data" / "bench.json").read_text()


def test_save_profile_refuses_to_rewrite(deepsel: Any, quick: Any, home: Path) -> None:
    """A `latency` within the model's own table is left alone, and what to write is said."""
    path = home / "profiles.toml"
    source = path.read_text().replace("[models.quick]", "[models.quick]\nlatency = { ttft_s = 1, tokens_per_s = 9 } # mine")
    path.write_text(source)
    ran = deepsel("bench", *FAST, "--save-profile")
    assert ran.code == 3
    assert "latency = { ttft_s = " in ran.err
    assert path.read_text() == source


@pytest.mark.parametrize(
    "options",
    [
        ("--idle", "1", "-c", "2"),
        ("--rate", "1", "-c", "2"),
        ("--warm-every", "1"),
        ("--prompt", "x", "--prompt-tokens", "64"),
        ("--max-regression", "5"),
        ("--format", "yaml"),
        ("-n", "0"),
        ("--rate", "nan"),
        ("--idle", "soon"),
        ("--prompt-tokens", "3"),
        ("--max-regression", "x", "--baseline", "b"),
        ("--baseline", "not-there.json"),
        ("--max-cost", "cheap"),
    ],
)
def test_usage_errors(deepsel: Any, quick: Any, options: tuple[str, ...]) -> None:
    """What cannot be meant is exit 2 before anything is sent."""
    ran = deepsel("bench", *options)
    assert (ran.code, ran.out, quick.calls) == (2, "", ())
    assert ran.err.startswith("error: ")


def test_other_endings(deepsel: Any, simulate: Any, profiles: Any) -> None:
    """A wrong key is exit 4 after one request; nobody answering is exit 5 with the report; no key is exit 3."""
    refusing, dead = simulate(fault=("401",)), simulate(fault=("500",))
    profiles(quick=refusing)
    assert deepsel("bench", *FAST).code == 4
    assert len(refusing.calls) == 1
    profiles(quick=dead)
    ran = deepsel("bench", *FAST)
    assert ran.code == 5
    assert "0 of 3 answered (failed: 3 server)" in ran.out
    assert deepsel("bench", *FAST, env={"TEST_KEY": ""}).code == 3


def test_interrupt_reports_what_there_is(simulate: Any, profiles: Any, home: Path) -> None:
    """Ctrl-C in the middle: the report of what was measured, marked partial, and exit 130."""
    running = simulate(ttft_s=0.05, output_tokens=2)
    profiles(quick=running)
    command = [sys.executable, "-m", "deepsel", "bench", "-n", "10000", "--max-tokens", "2", "-q", "--format", "json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=home, env=os.environ) as process:
        while len(running.records) < 5:
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=100)
    assert (process.returncode, err) == (130, "")
    found = json.loads(out)
    assert found["is_partial"] is True
    assert 3 <= found["cases"][0]["requests"] < 10000


# --- documents -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["bench-github-actions.yml", "bench-gitlab-ci.yml"])
def test_ci_examples_run(deepsel: Any, quick: Any, home: Path, name: str) -> None:
    """The command in each CI example passes against the simulator, and leaves the files that the example collects."""
    text = (ROOT / "docs" / "ci" / name).read_text("utf-8")
    commands = re.findall(r"deepsel bench (?:[^\n]|\n +(?=--))*", text)
    assert commands
    for command in commands:
        words = shlex.split(command.replace("deepseek-flash", "quick"))
        ran = deepsel(*words[1:])
        assert ran.code == 0, ran.err
    for made in re.findall(r"--output (\S+)", text):
        assert (home / made).read_text()


def test_page_of_the_docs_names_every_option(deepsel: Any) -> None:
    """Each option of the help is in docs/bench.md."""
    page = (ROOT / "docs" / "bench.md").read_text("utf-8")
    shared = {"--config", "--profile", "--quiet", "--verbose", "--help"}
    own = set(re.findall(r"--[a-z][a-z0-9-]+", deepsel("bench", "--help").out)) - shared
    assert own
    assert not {option for option in own if f"`{option}" not in page}
