"""`ask -t` and `deepsel templates`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any


def test_a_template_asks(
    deepsel: Callable[..., Any], simulate: Callable[..., Any], profiles: Callable[..., Path], home: Path
) -> None:
    """Prompt, system, model, parameters and variables; standard input is a document; what is typed wins."""
    one, two = simulate(text="One."), simulate(text="Two.")
    profiles(one=one, two=two)
    (home / "templates").mkdir(mode=0o700)
    (home / "templates" / "mine.toml").write_text(
        'prompt = "In {lang}:"\nsystem = "S"\nmodel = "tw"\nmax_tokens = 77\nparams = { top_p = 0.5 }\ndefaults = { lang = "French" }\n'
    )
    ran = deepsel("-t", "mine", "please", stdin="the text\n")
    assert (ran.code, ran.out) == (0, "Two.\n"), ran.err
    body = two.calls[0].body
    assert body["messages"][0] == {"role": "system", "content": "S"}
    assert body["messages"][1]["content"].startswith("In French:\n\nplease\n\n<document")
    assert (body["max_tokens"], body["top_p"]) == (77, 0.5)
    deepsel("-t", "mine", "--var", "lang=German", "-m", "one", "-s", "T", "--max-tokens", "5")
    body = one.calls[0].body
    assert [message["content"] for message in body["messages"]] == ["T", "In German:"]
    assert body["max_tokens"] == 5


def test_a_changed_template_is_asked_anew(
    deepsel: Callable[..., Any], simulate: Callable[..., Any], profiles: Callable[..., Path], home: Path
) -> None:
    """No answer of another template is replayed, nor of the shipped one once there is one of the user's own."""
    server = simulate(text="Done.")
    profiles(one=server)
    for _ in range(2):
        deepsel("-t", "commit", stdin="diff\n")
    assert len(server.calls) == 1
    (home / "templates").mkdir(mode=0o700)
    (home / "templates" / "commit.toml").write_text('prompt = "Mine."\n')
    deepsel("-t", "commit", stdin="diff\n")
    assert server.calls[-1].body["messages"][-1]["content"].startswith("Mine.")


def test_mistakes(deepsel: Callable[..., Any]) -> None:
    """A name, a variable or a form that is wrong is exit 2 and named."""
    for words, told in (
        (("-t", "comit"), "`commit`"), (("-t", "extract"), "needs `fields`"), (("--var", "a=b", "Hi"), "--template"),
        (("-t", "translate", "--var", "to"), "NAME=VALUE"),
    ):  # fmt: skip
        ran = deepsel("-p", "demo", *words)
        assert (ran.code, told in ran.err) == (2, True), ran.err


def test_templates_are_listed_and_shown(deepsel: Callable[..., Any], home: Path) -> None:
    """With their variables; what is shown can be copied and used."""
    assert deepsel("templates", "path").out == f"{home / 'templates'}\n"
    (home / "templates" / "mine.toml").write_text(deepsel("templates", "show", "translate").out)
    listed = deepsel("templates", "list").out.splitlines()
    assert [line.split()[0] for line in listed] == ["NAME", "mine", "commit", "explain", "extract", "review", "summary", "translate"]
    assert deepsel("templates", "list", "--json").record()["templates"][0]["variables"] == ["to"]
    assert deepsel("templates", "show", "nope").code == 2
    assert deepsel("-p", "demo", "-t", "mine", "Hallo").code == 0
