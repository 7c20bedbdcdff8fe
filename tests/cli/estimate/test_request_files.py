"""`deepsel estimate` on files of requests: all that is text is counted as each maker writes it out, what nobody can count is said."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

MODELS = ("deepseek-flash", "mistral-large-2512", "gpt-5-mini", "qwen3-max", "claude-sonnet-4-6")
ASKED = {"role": "user", "content": "Where do I change on the way from Ulm to Lausanne?"}
TOOL = {
    "type": "function",
    "function": {
        "name": "plan_trip",
        "description": "Plan a trip by train, with every change and its platform.",
        "parameters": {
            "type": "object",
            "properties": {
                "start": {"type": "string", "description": "Where the trip starts"},
                "end": {"type": "string", "description": "Where the trip ends"},
                "class": {"type": "string", "enum": ["first", "second"]},
            },
            "required": ["start", "end"],
        },
    },
}
SCHEMA = {"type": "object", "properties": {f"member_{number}": {"type": "string"} for number in range(12)}}


@pytest.fixture
def rows(deepsel: Callable[..., Any], tmp_path: Path) -> Callable[..., dict[str, dict[str, Any]]]:
    """Estimates a file and gives its rows by model."""

    def estimated(content: object, name: str = "asked.jsonl", models: tuple[str, ...] = MODELS) -> dict[str, dict[str, Any]]:
        (tmp_path / name).write_text(content if isinstance(content, str) else json.dumps(content))
        wanted = [word for model in models for word in ("-m", model)]
        record = deepsel("estimate", str(tmp_path / name), *wanted, "--format", "json").record()
        return {row["model"]: row for row in record["rows"]}

    return estimated


def test_tools_are_counted_as_each_maker_writes_them(rows: Callable[..., Any]) -> None:
    """The counts are those of the makers' own encoders; where there is none the row says how far off it may be."""
    found = rows({"messages": [ASKED], "tools": [TOOL]})
    plain = rows({"messages": [ASKED]})
    counted = {model: found[model]["input_tokens"] for model in MODELS[:2]}
    assert counted == {"deepseek-flash": 333, "mistral-large-2512": 130}
    assert {found[model]["source"] for model in counted} == {"counted"}
    for model in ("gpt-5-mini", "claude-sonnet-4-6"):
        assert found[model]["source"] == "estimated"
        assert found[model]["error_pct"] > 0
        assert found[model]["input_tokens"] > plain[model]["input_tokens"] + 50


def test_calls_results_documents_and_schemas_are_counted(rows: Callable[..., Any]) -> None:
    """No text of a request is left out, whatever its part is called."""
    long = "Platform 7 is closed for works until noon. " * 20
    call = {"id": "call00001", "type": "function", "function": {"name": "plan_trip", "arguments": '{"start": "Ulm", "end": "Lausanne"}'}}
    history = [ASKED, {"role": "assistant", "content": None, "tool_calls": [call]}]
    brought = [*history, {"role": "tool", "tool_call_id": "call00001", "content": long}]
    document = {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": long}}
    plain = rows({"messages": [ASKED]})
    for content, least in (
        ({"messages": brought, "tools": [TOOL]}, 200 + 80),
        ({"custom_id": "a", "params": {"messages": [{"role": "user", "content": [document, {"type": "text", "text": "So?"}]}]}}, 160),
        ({"messages": [ASKED], "response_format": {"type": "json_schema", "json_schema": {"name": "it", "schema": SCHEMA}}}, 100),
        ({"input": [ASKED], "text": {"format": {"type": "json_schema", "name": "it", "schema": SCHEMA}}}, 100),
    ):
        found = rows(content)
        for model in MODELS:
            assert found[model]["input_tokens"] > plain[model]["input_tokens"] + least - 100, (model, content)
            assert found[model]["input_tokens"] > least, (model, content)


def test_items_of_the_responses_api_are_one_request(rows: Callable[..., Any]) -> None:
    """A call and what it brought are read, and take a few tokens beside their text."""
    items = [
        ASKED,
        {"type": "function_call", "call_id": "c", "name": "plan_trip", "arguments": '{"start":"Ulm","end":"Lausanne"}'},
        {"type": "function_call_output", "call_id": "c", "output": '{"change":"Basel"}'},
    ]
    found = rows({"model": "gpt-5-mini", "input": items})
    assert found["gpt-5-mini"]["input_tokens"] == pytest.approx(44, abs=4)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"input": [ASKED, {"type": "reasoning", "summary": [], "encrypted_content": "gAAAAB" + "Qk1Z" * 200}]}, "encrypted"),
        ({"input": [ASKED], "previous_response_id": "resp_1"}, "state that the provider keeps"),
        ({"input": [ASKED, {"type": "item_reference", "id": "i"}]}, "state that the provider keeps"),
        ({"input": [ASKED], "tools": [{"type": "web_search"}]}, "tools that run at the provider"),
    ],
)
def test_what_nobody_can_count_makes_a_lower_bound(deepsel: Callable[..., Any], tmp_path: Path, more: dict[str, Any], said: str) -> None:
    """It is no prose and not zero: the row says `at_least`, every format shows it, and a cap cannot be checked."""
    path = tmp_path / "asked.jsonl"
    path.write_text(json.dumps(more))
    run = deepsel("estimate", str(path), "-m", "gpt-5-mini", "--format", "json")
    (row,) = run.record()["rows"]
    assert row["source"] == "at_least"
    assert row["input_tokens"] < 60
    assert said in run.err
    assert "≥" in deepsel("estimate", str(path), "-m", "gpt-5-mini").out
    assert "≥" in deepsel("estimate", str(path), "-m", "gpt-5-mini", "--format", "markdown").out
    assert deepsel("estimate", str(path), "-m", "gpt-5-mini", "--max-cost", "1").code == 9


def test_a_whole_file_of_json_is_one_request(rows: Callable[..., Any]) -> None:
    """A list of messages, written over several lines, counts as what it asks; the case of an ending does not matter."""
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "What is DNS?"}]
    assert rows(json.dumps(messages, indent=2), "messages.json")["gpt-5-mini"]["input_tokens"] == 17
    assert rows({"messages": messages}, "ASKED.JSONL")["gpt-5-mini"]["input_tokens"] == 17
    assert rows(json.dumps({"name": "x", "version": 3}, indent=2), "package.json")["gpt-5-mini"]["input_tokens"] > 17


def test_training_lines_count_what_they_ask(rows: Callable[..., Any]) -> None:
    """The answer of a training line is not sent."""
    line = {"instruction": ASKED["content"], "input": "", "output": "In Zurich and in Bern. " * 30}
    alone = rows({"messages": [ASKED]})["gpt-5-mini"]["input_tokens"]
    assert rows(line)["gpt-5-mini"]["input_tokens"] == alone
    spoken = {"conversations": [{"from": "human", "value": ASKED["content"]}, {"from": "gpt", "value": "In Bern."}]}
    assert rows(spoken)["gpt-5-mini"]["input_tokens"] == alone


def test_lines_of_no_known_form_are_said_to_be_text(deepsel: Callable[..., Any], tmp_path: Path) -> None:
    """A log in JSON lines is counted, as the text it is, and that is said."""
    (tmp_path / "log.jsonl").write_text('{"level": "info", "event": "started"}\n' * 3)
    assert "counted as text" in deepsel("estimate", str(tmp_path / "log.jsonl"), "-m", "gpt-5-mini").err


def test_an_unknown_vocabulary_is_held_against_its_bytes(deepsel: Callable[..., Any], tmp_path: Path, home: Path) -> None:
    """A cap holds against what no vocabulary of bytes exceeds: the mean of others would let dense text through."""
    (home / "profiles.toml").write_text(
        '[providers.here]\nwire = "openai-chat"\nbase_url = "http://127.0.0.1:9/v1"\n'
        '[models.own]\nprovider = "here"\ncontext_window = 2048\nprice = { input = "1", output = "1" }\n'
    )
    (tmp_path / "dense.txt").write_text("word " * 400)
    record = deepsel("estimate", str(tmp_path / "dense.txt"), "-m", "own", "--format", "json").record()
    (row,) = record["rows"]
    assert (row["source"], row["error_pct"]) == ("estimated", None)
    ran = deepsel("estimate", str(tmp_path / "dense.txt"), "-m", "own", "--max-cost", "0.001")
    assert ran.code == 9
    assert "whose vocabulary is not known" in ran.err
    assert deepsel("estimate", str(tmp_path / "dense.txt"), "-m", "own", "--max-cost", "0.0025").code == 0
