"""`deepsel estimate` as a program: formats, limits and exit codes, git, the count endpoint; no key and nothing sent otherwise."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
import threading
from base64 import b64encode
from collections.abc import Callable, Iterator
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from deepsel.cli.app import run
from deepsel.estimate.exports.formats import FORMATS

ROOT = Path(__file__).parents[3]
DEEPSEL = f'PYTHONPATH="{ROOT}" "{sys.executable}" -m deepsel'
"""This checkout as a shell's command, from any folder."""
PROMPT = "You are a careful translator. Keep names, numbers and line breaks as they are.\n"


@pytest.fixture
def prompts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with two prompts, the working directory of the test."""
    folder = tmp_path / "prompts"
    folder.mkdir()
    (folder / "en.md").write_text(PROMPT * 20)
    (folder / "zh.md").write_text("你是一位严谨的翻译。请保持名称、数字和换行不变。\n" * 20)
    monkeypatch.chdir(tmp_path)
    return folder


def ran(capfd: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> tuple[str, str]:
    """Run estimate in this process and return what it wrote."""
    assert run(["estimate", *arguments]) == code
    return tuple(capfd.readouterr())  # type: ignore[return-value]  # (out, err)


def record(capfd: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> Any:
    return json.loads(ran(capfd, *arguments, "--format", "json", code=code)[0])


# --- reports ----------------------------------------------------------------------------------------------------------


def test_a_file_name_is_no_formula(prompts: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """CSV that a spreadsheet opens holds a name as text, whatever it begins with."""
    (prompts / "=1+1.txt").write_text("Hello.\n")
    os.chdir(prompts)
    out, _ = ran(capfd, ".", "-m", "gpt-6-luna", "--by", "file", "--format", "csv")
    assert [row["group"] for row in csv.DictReader(io.StringIO(out))] == ["'=1+1.txt", "en.md", "zh.md"]


def test_every_available_model_is_priced_without_a_key(prompts: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """No key, no file, no network: the whole catalog, cheapest first, and its cheapest named."""
    found = record(capfd, "prompts")
    totals = [Decimal(row["total_usd"]) for row in found["rows"] if row["total_usd"]]
    assert len(totals) > 20
    assert totals == sorted(totals)
    assert found["cheapest"] == found["rows"][0]["model"]
    assert {one["path"] for one in found["inputs"]} == {"prompts/en.md", "prompts/zh.md"}
    assert "deepseek-chat" not in {row["model"] for row in found["rows"]}  # retired


def test_named_models_and_assumptions(prompts: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Requests multiply, answers are added, a rate names its time."""
    once, often = (
        record(capfd, "prompts", "-m", "gpt-6-luna", "--output-tokens", "100", "--requests", times, "--per", "day")
        for times in ("1", "1000")
    )
    assert [row["model"] for row in often["rows"]] == ["gpt-6-luna"]
    assert Decimal(often["rows"][0]["total_usd"]) == 1000 * Decimal(once["rows"][0]["total_usd"])
    assert often["rows"][0]["output_tokens"] == 200_000
    assert often["assumptions"]["requests"] == "each input is sent 1,000 times a day"


def test_languages_have_their_own_rows_premiums_and_cheapest(prompts: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Chinese is cheaper in DeepSeek's vocabulary than in OpenAI's, for the same content."""
    found = record(capfd, "prompts", "--by", "language")
    assert set(found["cheapest_by"]) == {"en", "zh"}
    assert found["premium_vs_english"]["zh"]["deepseek"] < found["premium_vs_english"]["zh"]["o200k_base"]
    assert sum(Decimal(row["total_usd"] or 0) for row in found["rows"]) == sum(
        Decimal(row["total_usd"] or 0) for row in found["totals"]
    )


def test_the_users_own_models_come_with_their_prices(
    prompts: Path, home: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """A row of profiles.toml is priced beside the catalog's, and alone by its profile."""
    (home / "profiles.toml").write_text(
        '[models.mine]\nprovider = "ollama"\nid = "x"\nvocabulary = "qwen"\nprice = { input = "1000", output = "1" }\n'
        '[profiles.p]\nmodels = ["mine"]\n'
    )
    assert "mine" in {row["model"] for row in record(capfd, "prompts")["rows"]}
    assert [row["model"] for row in record(capfd, "prompts", "-p", "p")["rows"]] == ["mine"]


def test_peak_and_off_peak_depend_on_the_time_asked_for(prompts: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """The same text at two hours of a working day; both figures are in both reports."""
    peak, off = (
        record(capfd, "prompts", "-m", "deepseek-flash", "--at", at)["rows"][0]
        for at in ("2026-11-25T02:00", "2026-11-25T20:00+00:00")
    )
    assert (peak["total_usd"], off["total_usd"]) == (peak["peak_usd"], off["off_peak_usd"])
    assert peak["price_label"] == "peak"
    assert Decimal(peak["total_usd"]) == 2 * Decimal(off["total_usd"])


@pytest.mark.parametrize("form", FORMATS)
def test_each_format_is_written_to_a_file_or_to_stdout(
    form: str, prompts: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """The file holds what stdout would, at the same time of prices; the file is whole."""
    at = ("--at", "2026-11-25T12:00")
    out, _ = ran(capfd, "prompts", "-m", "gpt-6-luna", "--format", form, *at)
    silent, _ = ran(capfd, "prompts", "-m", "gpt-6-luna", "--format", form, *at, "-o", "report")
    assert silent == ""
    assert (tmp_path / "report").read_text("utf-8") == out
    assert "gpt-6-luna" in out


def test_standard_input_is_read(deepsel: Callable[..., Any]) -> None:
    """`-` is what is piped in."""
    found = deepsel("estimate", "-", "-m", "gpt-6-luna", "--format", "json", stdin=PROMPT).record()
    assert [one["path"] for one in found["inputs"]] == ["-"]


def test_csv_is_for_programs(prompts: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """One header, one line a model and file."""
    out, _ = ran(capfd, "prompts", "--by", "file", "-m", "gpt-6-luna", "-m", "qwen-flash", "--format", "csv")
    assert len(list(csv.DictReader(io.StringIO(out)))) == 4


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("x", "--output-tokens", "1", "--output-ratio", "2"),
        ("x", "--output-ratio", "-1"),
        ("x", "--output-ratio", "nan"),
        ("x", "--requests", "0"),
        ("x", "--cached-share", "1.5"),
        ("x", "--at", "soon"),
        ("x", "--by", "colour"),
        ("x", "--format", "pdf"),
        ("x", "--per", "week"),
        ("x", "--max-increase", "5%"),
        ("x", "--exact"),
        ("--staged", "--diff", "HEAD"),
        ("--staged", "-"),
        ("--staged", "--sample"),
        ("x", "--fail-on-stale", "old"),
        ("missing-file",),
    ],
    ids=" ".join,
)
def test_what_makes_no_sense_is_a_usage_error(
    arguments: tuple[str, ...], prompts: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Exit 2, a message and nothing on stdout."""
    (prompts.parent / "x").write_text("x")
    out, err = ran(capfd, *arguments, code=2)
    assert out == ""
    assert err.startswith("error: ")


def test_an_unknown_model_is_a_configuration_error(prompts: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Exit 3 with the nearest name."""
    _, err = ran(capfd, "prompts", "-m", "deepseek-flsh", code=3)
    assert "deepseek-flash" in err


# --- limits -----------------------------------------------------------------------------------------------------------


def test_a_cost_over_the_limit_fails_after_the_report(prompts: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Exit 9; the report is there, and the message names file and rule."""
    out, err = ran(capfd, "prompts", "-m", "claude-opus-5-5", "--max-cost", "0.0001", code=9)
    assert "claude-opus-5-5" in out
    assert "most of it `prompts/" in err
    assert "`--max-cost` allows $0.0001" in err
    ran(capfd, "prompts", "-m", "claude-opus-5-5", "--max-cost", "1")


def test_a_limit_on_an_unknown_cost_fails(prompts: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """What cannot be checked does not pass."""
    _, err = ran(capfd, "prompts", "-m", "openrouter/auto", "--max-cost", "1", code=9)
    assert "cannot be checked" in err


def test_stale_prices_fail(prompts: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """The catalog's prices are older than no time at all, and younger than a century."""
    ran(capfd, "prompts", "-m", "gpt-6-luna", "--fail-on-stale", "40000d")
    _, err = ran(capfd, "prompts", "-m", "gpt-6-luna", "--max-cost", "0", "--fail-on-stale", "40000d", code=9)
    assert "prices were last read" not in err


# --- before a commit --------------------------------------------------------------------------------------------------


def git(*arguments: str, check: bool = True, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["git", *arguments], check=check, capture_output=True, text=True, env={**os.environ, **env}, timeout=60
    )


@pytest.fixture
def repo(prompts: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with the two prompts committed."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", os.devnull)
    git("init", "-q", "-b", "main")
    git("config", "user.email", "a@example.org")
    git("config", "user.name", "a")
    git("add", "-A")
    git("commit", "-q", "-m", "first")
    return prompts.parent


def install_hook(repo: Path, arguments: str) -> None:
    """Write a real pre-commit hook that runs this deepsel."""
    hook = repo / ".git" / "hooks" / "pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\n{DEEPSEL} estimate --staged {arguments}\n")
    hook.chmod(0o755)


@pytest.mark.parametrize("model", ["", "-m deepseek-flash", "-m claude-opus-5-5"])
def test_a_hook_stops_a_commit_that_triples_a_prompt(repo: Path, model: str) -> None:
    """The commit is not made, and its author reads which file crossed which rule."""
    install_hook(repo, f"{model} --max-increase 50%")
    (repo / "prompts" / "en.md").write_text(PROMPT * 60)
    stopped = git("commit", "-qam", "triple", check=False)
    assert stopped.returncode != 0
    assert "`prompts/en.md` costs" in stopped.stderr
    assert "`--max-increase` allows 50 %" in stopped.stderr
    assert git("log", "--format=%s").stdout.split() == ["first"]


def test_a_hook_passes_a_commit_that_does_not(repo: Path) -> None:
    """A small edit, a new file and a deletion are let through, and shown."""
    install_hook(repo, "-m deepseek-flash --max-increase 50%")
    (repo / "prompts" / "en.md").write_text(PROMPT * 20 + "Be brief.\n")
    (repo / "prompts" / "new.md").write_text(PROMPT)
    (repo / "prompts" / "zh.md").unlink()
    git("add", "-A")
    passed = git("commit", "-qm", "edit")
    assert "prompts/new.md" in passed.stdout + passed.stderr
    assert git("log", "--format=%s").stdout.split() == ["edit", "first"]


def test_the_hook_of_the_repository_is_this_command(repo: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """The entry of .pre-commit-hooks.yaml is a command line that works as it stands."""
    text = (ROOT / ".pre-commit-hooks.yaml").read_text("utf-8")
    assert "- id: deepsel-estimate" in text
    assert "language: python" in text
    assert "pass_filenames: false" in text
    entry = next(line.partition(":")[2].split() for line in text.splitlines() if line.strip().startswith("entry:"))
    assert entry[0] == "deepsel"
    assert run(entry[1:]) == 0
    assert "No changed text." in capfd.readouterr().out


def test_the_hook_script_of_the_docs_runs(repo: Path, tmp_path: Path) -> None:
    """docs/ci/pre-commit.sh, installed as it is, stops and passes commits."""
    program = tmp_path / "bin" / "deepsel"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\n{DEEPSEL} "$@"\n')
    program.chmod(0o755)
    path = f"{program.parent}{os.pathsep}{os.environ['PATH']}"
    hook = repo / ".git" / "hooks" / "pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_bytes((ROOT / "docs" / "ci" / "pre-commit.sh").read_bytes())
    hook.chmod(0o755)
    (repo / "prompts" / "en.md").write_text(PROMPT * 60)
    assert git("commit", "-qam", "triple", check=False, PATH=path).returncode != 0
    (repo / "prompts" / "en.md").write_text(PROMPT * 21)
    git("commit", "-qam", "grow", PATH=path)


@pytest.mark.parametrize("example", ["github-actions.yml", "gitlab-ci.yml"])
def test_the_ci_examples_run(example: str, repo: Path) -> None:
    """The command of each CI example, with its variables set as the runner does, fails on a tripled prompt only."""
    text = (ROOT / "docs" / "ci" / example).read_text("utf-8")
    lines = text[text.index("deepsel estimate") :].splitlines()
    command = " ".join([lines[0].strip(), lines[1].strip(), lines[2].strip()])
    assert command.endswith("-- prompts")
    base = git("rev-parse", "HEAD").stdout.strip()
    script = f'deepsel() {{ {DEEPSEL} "$@"; }}\n{command}\n'
    env = {**os.environ, "BASE": base, "CI_MERGE_REQUEST_DIFF_BASE_SHA": base}
    for times, code in ((21, 0), (63, 9)):
        (repo / "prompts" / "en.md").write_text(PROMPT * times)
        git("commit", "-qam", str(times))
        done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, env=env, check=False, timeout=60)
        assert done.returncode == code, done.stderr
        assert (repo / "cost.md").read_text().startswith("**Prompt cost: +$0.0")


def test_a_change_is_compared_on_the_first_named_model(repo: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """JSON has the difference in all and by file, and rows of what the files cost now."""
    (repo / "prompts" / "en.md").write_text(PROMPT * 40)
    found = record(capfd, "--diff", "HEAD", "-m", "gpt-6-luna", "-m", "qwen-flash")
    change = found["change"]
    assert change["model"] == "gpt-6-luna"
    assert Decimal(change["after_usd"]) > Decimal(change["before_usd"]) > 0
    assert Decimal(change["delta_usd"]) == Decimal(change["after_usd"]) - Decimal(change["before_usd"])
    assert [file["path"] for file in change["files"]] == ["prompts/en.md"]
    assert {row["model"] for row in found["rows"]} == {"gpt-6-luna", "qwen-flash"}


def test_a_change_without_a_named_model_takes_the_cheapest(repo: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """The cheapest of known price for the new versions, also where everything is deleted."""
    (repo / "prompts" / "en.md").write_text(PROMPT * 40)
    found = record(capfd, "--diff", "HEAD")
    assert found["change"]["model"] == found["cheapest"]
    git("rm", "-qrf", "prompts")
    gone = record(capfd, "--staged")["change"]
    assert Decimal(gone["after_usd"]) == 0
    assert Decimal(gone["before_usd"]) > 0


def test_paths_limit_a_change_and_binary_files_are_skipped(repo: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """A picture is named as skipped; what is outside the paths is not looked at."""
    (repo / "prompts" / "logo.png").write_bytes(b"\x89PNG\r\n\x1a\n\0\0")
    (repo / "other.md").write_text(PROMPT)
    git("add", "-A")
    found = record(capfd, "--staged", "-m", "gpt-6-luna", "prompts")
    assert found["change"]["files"] == []
    assert found["skipped"] == [{"path": "prompts/logo.png", "reason": "binary"}]


def test_a_staged_estimate_outside_a_repository_is_a_usage_error(
    prompts: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Exit 2 in git's own words."""
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(prompts.parent))
    _, err = ran(capfd, "--staged", code=2)
    assert "not a git repository" in err


# --- the count endpoint -----------------------------------------------------------------------------------------------


@pytest.fixture
def endpoint() -> Iterator[tuple[str, list[tuple[str, dict[str, str], Any]], dict[str, Any]]]:
    """A count endpoint on loopback: its address, the requests it got, and what it answers."""
    got: list[tuple[str, dict[str, str], Any]] = []
    answer: dict[str, Any] = {"status": 200, "body": {"input_tokens": 1006}}

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            got.append((self.path, {name.lower(): value for name, value in self.headers.items()}, body))
            data = json.dumps(answer["body"]).encode()
            self.send_response(answer["status"])
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: Any) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", got, answer
        server.shutdown()
        thread.join()


@pytest.fixture
def counted_by(endpoint: Any, home: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Point the Anthropic provider at the loopback endpoint."""
    url, got, answer = endpoint
    (home / "profiles.toml").write_text(f'[providers.anthropic]\nbase_url = "{url}"\n')
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant-test-0000")
    return got, answer


def test_exact_counts_are_the_providers(prompts: Path, counted_by: Any, capfd: pytest.CaptureFixture[str]) -> None:
    """Each file is asked about once, with the key in its header; the bill is what the endpoint counted."""
    got, _ = counted_by
    (row,) = record(capfd, "prompts", "-m", "claude-opus-5-5", "--exact")["rows"]
    assert (row["source"], row["input_tokens"]) == ("reported", 2 * 1006)
    assert [path for path, _, _ in got] == ["/v1/messages/count_tokens"] * 2
    assert {headers["x-api-key"] for _, headers, _ in got} == {"sk-ant-test-0000"}
    assert got[0][2]["messages"] == [{"role": "user", "content": (prompts / "en.md").read_text()}]
    assert got[0][2]["model"] == "claude-opus-5-5"


def test_a_failing_endpoint_leaves_the_labelled_estimate(
    prompts: Path, counted_by: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    """A refusal is a warning, told once a file, and no key is in it; nothing more is asked."""
    got, answer = counted_by
    answer.update(status=401, body={"type": "error", "error": {"type": "authentication_error", "message": "invalid x-api-key"}})
    out, err = ran(capfd, "prompts", "-m", "claude-opus-5-5", "--exact", "--format", "json")
    (row,) = json.loads(out)["rows"]
    assert row["source"] != "reported"
    assert len(got) == 1
    assert "keeps its offline count for claude-opus-5-5" in err
    assert "sk-ant" not in out + err


def test_exact_says_where_there_is_no_endpoint(prompts: Path, counted_by: Any, capfd: pytest.CaptureFixture[str]) -> None:
    """Other providers are counted offline, and said so."""
    got, _ = counted_by
    _, err = ran(capfd, "prompts", "-m", "gpt-6-luna", "--exact")
    assert got == []
    assert "no count endpoint" in err


def test_exact_without_a_key_is_a_configuration_error(prompts: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Exit 3, before anything is sent."""
    _, err = ran(capfd, "prompts", "-m", "claude-opus-5-5", "--exact", code=3)
    assert "ANTHROPIC_API_KEY" in err


def test_nothing_is_sent_without_exact(prompts: Path, counted_by: Any, capfd: pytest.CaptureFixture[str]) -> None:
    """A key in the environment changes nothing."""
    got, _ = counted_by
    ran(capfd, "prompts", "-m", "claude-opus-5-5")
    assert got == []


def test_answers_as_long_as_ones_own(deepsel: Callable[..., Any], home: Path) -> None:
    """--output-history takes the median of the user's own answers of a task, and says so; without any it is exit 2."""
    (home / "p.txt").write_text("What is DNS?")
    arguments = ("estimate", "p.txt", "-m", "deepseek-flash", "--format", "json", "--output-history", "chat")
    none = deepsel(*arguments)
    assert (none.code, none.out) == (2, "")
    assert "no answers of the task chat" in none.err
    asked = deepsel("ask", "-p", "demo", "What is DNS?", "--task", "chat", "--json").record()
    record = deepsel(*arguments).record()
    assert record["rows"][0]["output_tokens"] == asked["usage"]["output_tokens"]
    assert "median of your 1 answers" in record["assumptions"]["output"]


# --- pictures ---------------------------------------------------------------------------------------------------------

PIXELS = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + (1024).to_bytes(4, "big") * 2 + b"\x08\x02\x00\x00\x00" + bytes(4)
INLINE = f"data:image/png;base64,{b64encode(PIXELS).decode()}"


@pytest.mark.parametrize(
    ("url", "model", "source", "tokens", "cap", "code"),
    [
        (INLINE, "gpt-4o-mini", "rule", 25_514, "0.003", 9),
        (INLINE, "gpt-4o-mini", "rule", 25_514, "0.004", 0),
        ("https://example.org/a.png", "gpt-4o-mini", "at_most", 48_182, "0.007", 9),
        ("https://example.org/a.png", "gpt-4o-mini", "at_most", 48_182, "0.008", 0),
        (INLINE, "gpt-6-luna", "at_least", 13, "1", 9),
    ],
)
def test_a_limit_sees_pictures(
    prompts: Path, capfd: pytest.CaptureFixture[str], url: str, model: str, source: str, tokens: int, cap: str, code: int
) -> None:
    """The cost of a request's picture is in its row and under --max-cost; what nobody knows cannot be checked."""
    content = [{"type": "text", "text": "What is on the picture?"}, {"type": "image_url", "image_url": {"url": url}}]
    Path("asks.jsonl").write_text(json.dumps({"messages": [{"role": "user", "content": content}]}))
    out, err = ran(capfd, "asks.jsonl", "-m", model, "--max-cost", cap, "--format", "json", code=code)
    (row,) = json.loads(out)["rows"]
    assert (row["source"], row["input_tokens"]) == (source, tokens)
    assert "warning" not in err
    assert ("cannot be checked" in err) is (source == "at_least")
