"""What an answer can be shown as: its code, its data, beside others, with its thinking; and options in each wire's words."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from deepsel.cli.ask.schemas import schema_of
from deepsel.cli.typed import with_command
from deepsel.errors import UsageError

CODE = "Here:\n\n```json\n{\"a\": 1}\n```\n\nand\n\n```python\nprint(1)\n```\n\nEnjoy.\n"


@pytest.mark.parametrize(
    ("options", "out"), [(("-x",), "print(1)\n"), (("-x", "json"), '{"a": 1}\n'), (("--extract=py",), "print(1)\n")]
)
def test_the_code_alone(
    deepsel: Callable[..., Any], simulate: Callable[..., Any], profiles: Callable[..., Path], options: tuple[str, ...], out: str
) -> None:
    """The last block, or the last one of a language; from the cache too."""
    server = simulate(text=CODE)
    profiles(one=server)
    for _ in range(2):
        ran = deepsel(*options, "Write it")
        assert (ran.code, ran.out) == (0, out)
    assert len(server.calls) == 1


def test_no_such_code(deepsel: Callable[..., Any], simulate: Callable[..., Any], profiles: Callable[..., Path]) -> None:
    """Without a block the answer is given whole, with a warning; a language that is not there is exit 9, and nothing is lost."""
    profiles(one=simulate(text="Just words."))
    ran = deepsel("-x", "Write it")
    assert (ran.code, ran.out) == (0, "Just words.\n")
    assert "no block of code" in ran.err
    ran = deepsel("-x", "python", "Write it")
    assert (ran.code, ran.out) == (9, "")
    assert "Just words." in ran.err
    assert deepsel("-x", "--json", "Hi").code == 2


def test_a_language_is_told_from_a_question() -> None:
    """Only the name of a language belongs to `-x`."""
    assert with_command(["-x", "json", "List"]) == ["ask", "--extract=json", "List"]
    assert with_command(["ask", "-x", "List files", "--", "-x", "sh"]) == ["ask", "--extract=", "List files", "--", "-x", "sh"]
    assert with_command(["ask", "-x"]) == ["ask", "--extract="]


def test_short_schemas() -> None:
    """Names with types, lists and descriptions; JSON as it is; what is none of them is told."""
    assert schema_of("name, age int, tags str[]: what it is about") == {
        "type": "object",
        "properties": {
            "name": {"type": "string"},
            "age": {"type": "integer"},
            "tags": {"type": "array", "items": {"type": "string"}, "description": "what it is about"},
        },
        "required": ["name", "age", "tags"],
        "additionalProperties": False,
    }
    assert schema_of('{"type": "object"}') == {"type": "object"}
    for wrong in ("schemas/person.json", "age integer", "{", "[1]", "a;b"):
        with pytest.raises(UsageError):
            schema_of(wrong)


def test_data_is_in_the_record(
    deepsel: Callable[..., Any], simulate: Callable[..., Any], profiles: Callable[..., Path]
) -> None:
    """With a schema `data` is the document; without one it is null."""
    server = simulate(text='{"name": "Ann", "age": 3}')
    profiles(one=server)
    ran = deepsel("--schema", "name, age int", "Make up a person", "--json")
    assert ran.record()["data"] == {"name": "Ann", "age": 3}, ran.err
    assert deepsel("Make up a person", "--json").record()["data"] is None


def test_answers_together(deepsel: Callable[..., Any], simulate: Callable[..., Any], profiles: Callable[..., Path]) -> None:
    """Each model of -m is asked once, and its answer shown with cost, time and length; `--json` is a list."""
    one, two = simulate(text="Alpha beta."), simulate(text="Gamma.")
    profiles(one=one, two=two, three=simulate(text="Never."))
    ran = deepsel("--compare", "-m", "one", "-m", "two", "Say something")
    assert ran.code == 0, ran.err
    first, second = ran.out.split("== ")[1:]
    assert first.startswith("one · $0.0")
    assert "· 2 words\nAlpha beta.\n" in first
    assert "· 1 word\nGamma.\n" in second
    answers = deepsel("--compare", "-m", "one", "-m", "two", "Say something else", "--json").record()["answers"]
    assert [(answer["model"], answer["text"]) for answer in answers] == [("one", "Alpha beta."), ("two", "Gamma.")]
    assert (len(one.calls), len(two.calls)) == (2, 2)


def test_one_of_several_fails(deepsel: Callable[..., Any], simulate: Callable[..., Any], profiles: Callable[..., Path]) -> None:
    """The others are shown all the same, and the exit code is the failure's."""
    profiles("", "retries = 0", bad=simulate(fault=("401",)), good=simulate(text="Fine."))
    ran = deepsel("--compare", "-m", "bad", "-m", "good", "Hi")
    assert ran.code == 4
    assert "Fine." in ran.out
    record = deepsel("--compare", "-m", "bad", "-m", "good", "Hi", "--json").record()
    assert [("error" in answer) for answer in record["answers"]] == [True, False]


def test_thinking_is_shown_apart(
    deepsel: Callable[..., Any], simulate: Callable[..., Any], profiles: Callable[..., Path]
) -> None:
    """On standard error, whole, and never in the answer."""
    profiles(one=simulate(text="Four.", fault=("think_tags",)))
    ran = deepsel("--show-thinking", "2+2?")
    assert (ran.code, ran.out) == (0, "Four.\n")
    assert ran.err.startswith("Simulated reasoning about the request.\n")
    assert "Simulated reasoning" not in deepsel("2+2?").err


@pytest.mark.parametrize("wire", ["openai-chat", "anthropic-messages"])
def test_options_are_sent_in_the_wire_s_words(
    deepsel: Callable[..., Any], simulate: Callable[..., Any], profiles: Callable[..., Path], wire: str, tmp_path: Path
) -> None:
    """Effort, top-p, stop and a system file."""
    server = simulate(text="Hello.")
    profiles(one=(server, wire))
    (tmp_path / "system.txt").write_text("Be brief.\n")
    ran = deepsel(
        "Hi", "--reasoning-effort", "high", "--top-p", "0.5", "--stop", "END", "--stop", "\n\n",
        "--system-file", str(tmp_path / "system.txt"),
    )  # fmt: skip
    assert ran.code == 0, ran.err
    body = server.calls[0].body
    assert body["top_p"] == 0.5
    assert "Be brief." in json.dumps(body)
    if wire == "openai-chat":
        assert (body["reasoning_effort"], body["stop"]) == ("high", ["END", "\n\n"])
    else:
        assert (body["output_config"], body["thinking"]) == ({"effort": "high"}, {"type": "adaptive"})
        assert body["stop_sequences"] == ["END", "\n\n"]
        assert not {"reasoning_effort", "stop"} & body.keys()


@pytest.mark.parametrize(
    "options",
    [
        ("--reasoning-effort", "lots"), ("--top-p", "2"), ("-s", "a", "--system-file", "b"), ("--top-p", "1", "--param", "top_p=1"),
        ("--compare",), ("--compare", "-m", "one", "-c"), ("--compare", "-m", "one", "--explain"), ("--schema", "no.json"),
    ],
)  # fmt: skip
def test_what_cannot_be(deepsel: Callable[..., Any], options: tuple[str, ...]) -> None:
    """A wrong value, or two that say the same, is exit 2 before anybody is asked."""
    assert deepsel("-p", "demo", *options, "Hi").code == 2
