"""`deepsel route eval`: choices, baselines and APGR as table, record and page; what `--learn` writes; `ask --rate` and `--at`."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from deepsel.health.log import Observation
from deepsel.health.sqlite_state import SqliteState

Deepsel = Callable[..., Any]
ROWS = [
    {"prompt": "What is the capital of Australia?", "task": "chat", "scores": {"gpt-6-luna": 1, "claude-opus-5-5": 1}},
    {"prompt": "Write a C++ function that reverses a linked list", "task": "code", "scores": {"gpt-6-luna": 0, "claude-opus-5-5": 1}},
    {"prompt": "Write a parser for arithmetic in Python", "task": "code", "scores": {"gpt-6-luna": 0, "claude-opus-5-5": 1}},
    {"prompt": "Write a binary search in Go", "task": "code", "scores": {"gpt-6-luna": 0.1, "claude-opus-5-5": 1}},
    {"id": 5, "prompt": "Prove that the square root of 2 is irrational"},
]


@pytest.fixture
def prompts(tmp_path: Path) -> Path:
    """A file of five prompts, four of them with scores of two models."""
    path = tmp_path / "prompts.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in ROWS), "utf-8")
    return path


def test_the_record_says_all(deepsel: Deepsel, prompts: Path) -> None:
    """Each prompt has a choice and a cost for each strategy; strategies stand beside fixed choices; no key is needed."""
    record = deepsel("route", "eval", str(prompts), "--format", "json").record()
    assert [row["named_task"] for row in record["prompts"]] == ["chat", "code", "code", "code", None]
    assert set(record["prompts"][0]["choices"]) == {"balanced", "cheapest", "fastest", "best", "ordered"}
    assert set(record["prompts"][0]["costs_usd"]) == {"gpt-6-luna", "claude-opus-5-5"}
    assert record["baselines"]["always claude-opus-5-5 (best)"]["quality"] == 1
    assert record["baselines"]["always gpt-6-luna (cheapest)"]["quality"] == pytest.approx(0.275)
    assert record["strategies"]["cheapest"]["judged"] == 4
    assert record["task_accuracy"]["of"] == 4
    assert record["apgr"]["weak"] == "gpt-6-luna"
    assert 0 <= record["apgr"]["value"] <= 1


def test_the_table_and_the_page_show_it(deepsel: Deepsel, prompts: Path, tmp_path: Path) -> None:
    """The table has a line for each way of choosing; the page draws quality over cost and holds the prompts, escaped."""
    out = deepsel("route", "eval", str(prompts)).out
    assert [line.split()[0] for line in out.splitlines()[3:6]] == ["balanced", "cheapest", "fastest"]
    assert "APGR of difficulty between gpt-6-luna and claude-opus-5-5" in out
    page = tmp_path / "page.html"
    assert deepsel("route", "eval", str(prompts), "--format", "html", "-o", str(page)).code == 0
    text = page.read_text("utf-8")
    assert "<circle" in text
    assert "square root of 2" in text


def test_without_scores_there_is_no_quality(deepsel: Deepsel, tmp_path: Path) -> None:
    """No score is no quality, no baseline and no APGR; the profile's models are planned all the same."""
    path = tmp_path / "bare.jsonl"
    path.write_text('{"prompt": "What is DNS?"}\n', "utf-8")
    record = deepsel("route", "eval", str(path), "--format", "json").record()
    assert record["strategies"]["balanced"]["quality"] is None
    assert record["baselines"] == {}
    assert record["apgr"] is None
    assert record["task_accuracy"] is None


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("nonsense", "is not JSON"),
        ('{"promt": "x"}', "no text called `prompt`"),
        ('{"prompt": "x", "score": 1}', "`score`"),
        ('{"prompt": "x", "scores": {"m": 2}}', "from 0 to 1"),
        ('{"prompt": "x", "task": "cod"}', "does not know `cod`"),
    ],
)
def test_a_wrong_line_is_named(deepsel: Deepsel, tmp_path: Path, line: str, said: str) -> None:
    """A line that cannot be read is exit 2, with its number and what was wrong."""
    path = tmp_path / "wrong.jsonl"
    path.write_text(f'{{"prompt": "fine"}}\n{line}\n', "utf-8")
    done = deepsel("route", "eval", str(path))
    assert done.code == 2
    assert said in done.err
    assert "line 2" in done.err


def test_learning_writes_strengths_and_keeps_comments(deepsel: Deepsel, prompts: Path, home: Path) -> None:
    """Scores of three answers or more move a strength in profiles.toml; what stood there stays; a second run rewrites its own."""
    path = home / "profiles.toml"
    path.write_text('# mine\ndefault_profile = "main"\n\n[profiles.main]\nmodels = ["gpt-6-luna", "claude-opus-5-5"]\n', "utf-8")
    for _ in range(2):
        done = deepsel("route", "eval", str(prompts), "--learn", "--config", str(path))
        assert done.code == 0
        assert "gpt-6-luna code: strength" in done.err
    text = path.read_text("utf-8")
    assert text.startswith("# mine\n")
    assert text.count("[models.gpt-6-luna.capability]") == 1
    shown = deepsel("models", "gpt-6-luna", "--config", str(path)).out
    assert "(your profiles.toml)" in shown


def test_learning_needs_a_profiles_file(deepsel: Deepsel, prompts: Path) -> None:
    """Without a profiles.toml there is nothing to write to: exit 3."""
    assert deepsel("route", "eval", str(prompts), "--learn").code == 3


def test_the_last_answer_is_rated(deepsel: Deepsel, home: Path) -> None:
    """`--rate` marks the newest answer; a second word about it takes the first one's place; no text is kept."""
    log = SqliteState(home / "data")
    for age_s, model in ((60, "older"), (5, "newest")):
        row = Observation(at=time.time() - age_s, model=model, profile="main", provider="p", task="code", outcome="ok")
        log.add([row])
    log.close()
    for word in ("good", "bad"):
        assert deepsel("ask", "--rate", word).code == 0
    (kept,) = [json.loads(line) for line in (home / "data" / "ratings.jsonl").read_text("utf-8").splitlines()]
    assert (kept["model"], kept["task"], kept["is_good"]) == ("newest", "code", False)
    assert deepsel("ask", "--rate", "fine").code == 2
    assert deepsel("ask", "--rate", "good", "a prompt").code == 2


def test_there_has_to_be_an_answer_to_rate(deepsel: Deepsel) -> None:
    """With nothing asked there is nothing to rate: exit 2."""
    done = deepsel("ask", "--rate", "good")
    assert done.code == 2
    assert "no answer to rate" in done.err


def test_a_plan_for_another_hour(deepsel: Deepsel) -> None:
    """`--at` plans at that hour's prices, and only plans; `--explain` says whose word each strength is."""
    costs = {}
    for hour in ("2026-12-01T02:00", "2026-12-01T20:00"):
        asked = ("ask", "--explain", "--json", "--at", hour, "-m", "deepseek-flash", "hi")
        record = deepsel(*asked, env={"DEEPSEEK_API_KEY": "k"}).record()
        (one,) = record["candidates"]
        costs[hour] = float(one["cost_usd"])
        assert one["strength"]["source"] in ("guess", "whatmodel")
    assert costs["2026-12-01T02:00"] == pytest.approx(2 * costs["2026-12-01T20:00"])
    assert deepsel("ask", "--at", "2026-12-01", "hi").code == 2


def test_a_cap_cuts_the_answer_and_says_so(deepsel: Deepsel) -> None:
    """Under a cap that buys the expected answer but not the longest one, the model is kept with a shorter bound."""
    env = {"DEEPSEEK_API_KEY": "k"}
    asked = ("ask", "--explain", "--json", "-m", "deepseek-flash", "--at", "2026-12-01T20:00", "Who wrote Faust?", "--max-cost")
    record = deepsel(*asked, "0.0006", env=env).record()
    (one,) = record["candidates"]
    assert any("what the limit on cost buys" in reason for reason in one["reasons"])
    tiny = deepsel(*asked, "0.00001", env=env).record()
    assert tiny["candidates"] == []
    assert tiny["refused"][0]["reason"] == "over_cost"
