"""Every command by name, imported and built only when it is called: all of them together take longer than running one."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any, ClassVar, TypeAlias

import typer
from typer.core import TyperCommand, TyperGroup

from deepsel.cli.options import with_options
from deepsel.records import NamedTuple


class Place(NamedTuple):
    """Where a command is found."""

    module: str
    function: str
    summary: str
    """The first line of its help; the suite holds it against the function's own."""


Table: TypeAlias = Mapping[str, "Place | type[LazyGroup]"]


class LazyGroup(TyperGroup):
    """A group that knows its commands by name and builds one when it is called."""

    table: ClassVar[Table] = {}
    summary: ClassVar[str] = ""

    def __init__(self, **attrs: Any) -> None:
        super().__init__(**attrs)
        for name, place in self.table.items():
            self.commands[name] = TyperCommand(name, help=place.summary)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002 - as typer calls it
        """Build the command; None where there is none of that name."""
        place = self.table.get(cmd_name)
        if place is None:
            return None
        if not isinstance(place, Place):
            return place(name=cmd_name, help=place.summary, no_args_is_help=True, rich_markup_mode=None)
        function = getattr(import_module(place.module), place.function)
        single = typer.Typer(add_completion=False, rich_markup_mode=None)
        single.command(cmd_name)(with_options(function))
        return typer.main.get_command(single)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """List names and summaries without building anything."""
        TyperGroup(commands=dict(self.commands)).format_commands(ctx, formatter)


class CacheGroup(LazyGroup):
    """The commands of `deepsel cache`."""

    summary = "Inspect, check, export and clear the answer cache."
    table: ClassVar[Table] = {
        "stats": Place("deepsel.cli.cache.look", "stats", "Tell what each tier holds and what hits have saved."),
        "list": Place("deepsel.cli.cache.look", "list_entries", "List cached answers, newest first."),
        "show": Place("deepsel.cli.cache.look", "show", "Print one cached answer, what it took, and the request it answers."),
        "clear": Place("deepsel.cli.cache.tidy", "clear", "Remove cached answers, selected ones or all."),
        "prune": Place("deepsel.cli.cache.tidy", "prune", "Remove what has expired and what killed processes left."),
        "verify": Place("deepsel.cli.cache.tidy", "verify", "Check the database and every entry."),
        "export": Place("deepsel.cli.cache.move", "export_entries", "Write cached answers as JSON lines."),
        "import": Place("deepsel.cli.cache.move", "import_entries", "Store exported answers, all or none."),
        "path": Place("deepsel.cli.cache.look", "path", "Print the folder the cache is in."),
    }


class BatchGroup(LazyGroup):
    """The commands of `deepsel batch`."""

    summary = "Ask thousands of prompts, resumable to the line."
    table: ClassVar[Table] = {
        "run": Place("deepsel.cli.batch.command", "run", "Ask thousands of prompts, resumable to the line."),
    }


class RouteGroup(LazyGroup):
    """The commands of `deepsel route`."""

    summary = "Tell what the router does with your own prompts."
    table: ClassVar[Table] = {
        "eval": Place("deepsel.cli.route.command", "evaluate", "Tell what routing your prompts is worth."),
    }


class ConfigGroup(LazyGroup):
    """The commands of `deepsel config`."""

    summary = "Show and change the configuration."
    table: ClassVar[Table] = {
        "show": Place("deepsel.cli.config.show", "show", "Show every value in force, and where it comes from."),
        "set": Place("deepsel.cli.config.change", "set_value", "Set one value in profiles.toml; comments stay."),
        "unset": Place("deepsel.cli.config.change", "unset_value", "Remove one value from profiles.toml."),
        "path": Place("deepsel.cli.config.show", "path", "Print the path of profiles.toml."),
    }


class ConversationsGroup(LazyGroup):
    """The commands of `deepsel conversations`."""

    summary = "List, show, export and delete conversations."
    table: ClassVar[Table] = {
        "list": Place("deepsel.cli.conversations.look", "list_conversations", "List conversations, the last one first."),
        "show": Place("deepsel.cli.conversations.look", "show", "Print a conversation with the cost of each turn."),
        "export": Place("deepsel.cli.conversations.look", "export", "Write a conversation as messages for `--messages`."),
        "delete": Place("deepsel.cli.conversations.remove", "delete", "Delete conversations."),
    }


class TemplatesGroup(LazyGroup):
    """The commands of `deepsel templates`."""

    summary = "List and show templates of questions."
    table: ClassVar[Table] = {
        "list": Place("deepsel.cli.templates.look", "list_templates", "List templates, your own first."),
        "show": Place("deepsel.cli.templates.look", "show", "Print a template."),
        "path": Place("deepsel.cli.templates.look", "path", "Print the folder of your own templates."),
    }


class Commands(LazyGroup):
    """The commands of `deepsel`."""

    table: ClassVar[Table] = {
        "ask": Place("deepsel.cli.ask.command", "ask", "Ask one question."),
        "chat": Place("deepsel.cli.chat.command", "chat", "Talk with a model, turn by turn."),
        "conversations": ConversationsGroup,
        "estimate": Place("deepsel.cli.estimate.command", "estimate", "Estimate what text will cost on each model."),
        "bench": Place("deepsel.cli.bench.command", "bench", "Measure latency: first token, speed, cold starts."),
        "models": Place("deepsel.cli.models.command", "models", "Search the catalog: prices now and next."),
        "stats": Place("deepsel.cli.stats.command", "stats", "Show requests, spending, latency and cache savings."),
        "warm": Place("deepsel.cli.warm", "warm", "Keep models warm with one-token requests."),
        "serve": Place("deepsel.cli.serve", "serve", "Serve the wires of OpenAI and Anthropic to other programs."),
        "init": Place("deepsel.cli.init", "init", "Write a first profiles.toml."),
        "simulate": Place("deepsel.cli.simulate", "simulate", "Run the simulated provider."),
        "batch": BatchGroup,
        "route": RouteGroup,
        "templates": TemplatesGroup,
        "cache": CacheGroup,
        "config": ConfigGroup,
        "help": Place("deepsel.cli.help", "help_", "Show the help of a command."),
    }
