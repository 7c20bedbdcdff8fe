"""`deepsel conversations list`, `show` and `export`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from deepsel.cli.conversations.chosen import chosen, opened
from deepsel.cli.options import AsJson, Common, Output
from deepsel.cli.terminal.output import deliver, write_stdout
from deepsel.cli.terminal.terminal import columns_to_cut_to
from deepsel.records import NamedTuple

if TYPE_CHECKING:
    from deepsel.conversations.records import Conversation, Turn

Called = Annotated[
    str | None, typer.Argument(metavar="[NAME]", help="A name or number of the list; the last one otherwise.", show_default=False)
]


class ListOptions(NamedTuple):
    """What `deepsel conversations list` takes."""

    as_json: AsJson = False


class ShowOptions(NamedTuple):
    """What `deepsel conversations show` takes."""

    called: Called = None
    as_json: AsJson = False


class ExportOptions(NamedTuple):
    """What `deepsel conversations export` takes."""

    called: Called = None
    output: Output = None


def list_conversations(common: Common, options: ListOptions) -> None:
    """List conversations, the last one first.

    Those without a name have a number, and are kept for `keep_s` of [conversations] after their last turn.
    """
    from deepsel.show.record import SCHEMA_VERSION, dump

    with opened(common) as (store, at):
        found = store.every(at=at)
    if options.as_json:
        write_stdout(dump({"schema": SCHEMA_VERSION, "conversations": [_record(one) for one in found]}))
    elif found:
        write_stdout(_table(found))
    elif not common.quiet:
        sys.stderr.write("no conversations are kept\n")


def _table(found: list[Conversation]) -> str:
    """Write a line each."""
    from deepsel.show.columns import text_table

    rows = [("NAME", "TURNS", "COST", "LAST", "BEGINS WITH")]
    rows += [(one.called, str(len(one.turns)), _cost(one), _time(one.last_at), _beginning(one)) for one in found]
    return text_table(rows, right=(1, 2), columns=columns_to_cut_to(sys.stdout))


def _beginning(one: Conversation) -> str:
    """Return the first words that were said."""
    from deepsel.show.plain import plain

    said = next((message.text for message in one.turns[0].asked if message.role == "user"), "") if one.turns else ""
    return plain(" ".join(said.split())[:60])


def _cost(one: Conversation) -> str:
    from deepsel.show.money import usd

    return f"{'at least ' if one.has_unknown_cost else ''}{usd(one.cost_usd)}"


def _time(at: float) -> str:
    from datetime import datetime

    return f"{datetime.fromtimestamp(at).astimezone():%Y-%m-%d %H:%M}"


def show(common: Common, options: ShowOptions) -> None:
    """Print a conversation with the cost of each turn.

    Pictures are named, not drawn.
    """
    from deepsel.show.plain import plain
    from deepsel.show.record import SCHEMA_VERSION, dump

    with opened(common) as (store, at):
        found = chosen(store, options.called, at=at)
    if options.as_json:
        turns = [_turn_record(turn) for turn in found.turns]
        write_stdout(dump({"schema": SCHEMA_VERSION, **_record(found), "turns": turns}))
        return
    parts = [_turn_text(turn) for turn in found.turns]
    write_stdout(plain("\n".join([*parts, f"{found.called}: {len(found.turns)} turns, {_cost(found)}\n"])))


def _turn_text(turn: Turn) -> str:
    """Write one turn."""
    from deepsel.show.money import usd

    lines = [f"> {line}" for message in turn.asked for line in _said(message).splitlines()]
    if turn.answer is None:
        return "\n".join([*lines, "", "(no answer)", ""])
    cut = "" if turn.finish in ("complete", "tool") else f" · {turn.finish}"
    return "\n".join([*lines, "", _said(turn.answer), f"— {turn.model} · {usd(turn.cost_usd)}{cut}", ""])


def _said(message: Any) -> str:
    """Return what a message says in words, and the names of what it says otherwise."""
    from deepsel.values import Document, Image, ToolCall, ToolResult

    others = []
    for part in message.parts:
        match part:
            case Image():
                others.append("[picture]")
            case Document():
                others.append(f"[document {part.name}]".replace(" ]", "]"))
            case ToolCall():
                others.append(f"[call {part.name} {part.arguments}]")
            case ToolResult():
                others.append(f"[result {''.join(getattr(inner, 'text', '') for inner in part.parts)}]")
    head = "[system] " if message.role == "system" else ""
    return "\n".join([*([head + message.text] if message.text else []), *others])


def _record(one: Conversation) -> dict[str, Any]:
    from datetime import UTC, datetime

    return {
        "id": one.id,
        "name": one.name,
        "last_at": datetime.fromtimestamp(one.last_at, UTC),
        "turns": len(one.turns),
        "cost_usd": None if one.has_unknown_cost else one.cost_usd,
        "known_cost_usd": one.cost_usd,
    }


def _turn_record(turn: Turn) -> dict[str, Any]:
    return {
        "turn": turn.number,
        "asked": "\n".join(_said(message) for message in turn.asked),
        "answer": None if turn.answer is None else _said(turn.answer),
        "model": turn.model or None,
        "provider": turn.provider or None,
        "finish": turn.finish or None,
        "cost_usd": turn.cost_usd,
    }


def export(common: Common, options: ExportOptions) -> None:
    """Write a conversation as messages for `--messages`.

    A JSON list in OpenAI's form, tool calls and pictures included.
    """
    import json

    from deepsel.wires.openai_chat.messages import encode_message

    with opened(common) as (store, at):
        found = chosen(store, options.called, at=at)
    messages = [row for message in found.messages for row in encode_message(message)]
    deliver(json.dumps(messages, ensure_ascii=False, indent=1) + "\n", options.output)
