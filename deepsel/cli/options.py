"""Options as fields of records: each declared once, those that several commands have here; made into what typer takes."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from copy import copy
from functools import cache
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import typer

from deepsel.records import NamedTuple


class Common(NamedTuple):
    """What every command takes, before its name or after it."""

    config: Annotated[Path | None, typer.Option("--config", metavar="PATH", help="Read this profiles.toml.")] = None
    profile: Annotated[
        str | None, typer.Option("--profile", "-p", metavar="NAME", help="Work with this profile.")
    ] = None
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Nothing on stderr but errors.")] = False
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="More on stderr.")] = False

    def merged(self, outer: Common) -> Common:
        """Fill what was not given after the command's name from what was given before it."""
        return Common(
            self.config or outer.config,
            self.profile or outer.profile,
            self.quiet or outer.quiet,
            self.verbose or outer.verbose,
        )


Models = Annotated[
    list[str] | None, typer.Option("--model", "-m", metavar="NAME", help="Only these models. Repeatable.")
]
MaxCost = Annotated[str | None, typer.Option("--max-cost", metavar="USD", help="Send nothing that could cost more.")]
Form = Annotated[str, typer.Option("--format", metavar="FORMAT")]
Output = Annotated[Path | None, typer.Option("--output", "-o", metavar="PATH", help="Write the report to this file.")]
System = Annotated[str | None, typer.Option("--system", "-s", metavar="TEXT", help="The system message.")]
GoesOn = Annotated[bool, typer.Option("--continue", "-c", help="Go on with the last conversation.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON record.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation.")]


class Help(NamedTuple):
    """What a shared option is to one command, in place of the words it has here: `Annotated[Models, Help("...")]`."""

    text: str


def with_options(function: Callable[..., None], *, common_first: bool = False) -> Callable[..., None]:
    """Make what typer takes of a function of Common and one record of options, or of Common alone.

    A field of a record is an option or an argument, or a record of more of them.
    """
    records = [hint for name, hint in get_type_hints(function).items() if name != "return"][1:]

    def call(**values: Any) -> None:
        ctx: typer.Context = values.pop("ctx")
        ctx.obj = _filled(Common, values).merged(ctx.obj or Common())
        function(ctx.obj, *(_filled(record, values) for record in records))

    context = inspect.Parameter("ctx", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context)
    declared = [Common, *records] if common_first else [*records, Common]
    parameters = [context, *(one for record in declared for one in _parameters(record))]
    call.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # read by typer
    call.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    call.__name__, call.__doc__ = function.__name__, function.__doc__
    return call


def _parameters(record: Any) -> list[inspect.Parameter]:
    """Declare a record's fields as keyword parameters."""
    found = []
    for name, hint in _fields(record).items():
        if _is_record(hint):
            found += _parameters(hint)
            continue
        default = record._field_defaults.get(name, inspect.Parameter.empty)
        found.append(inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=_worded(hint)))
    return found


def _filled(record: Any, values: Mapping[str, Any]) -> Any:
    """Make a record of what was given; other fields than its own are left alone."""
    return record(**{name: _filled(hint, values) if _is_record(hint) else values[name] for name, hint in _fields(record).items()})


@cache
def _fields(record: Any) -> Mapping[str, Any]:
    """Read what a record's fields are declared as, which takes a while."""
    return get_type_hints(record, include_extras=True)


def _is_record(hint: Any) -> bool:
    return isinstance(hint, type) and hasattr(hint, "_field_defaults")


def _worded(hint: Any) -> Any:
    """Give a shared option the words it has for this command."""
    if get_origin(hint) is not Annotated:
        return hint
    kind, declared, *words = get_args(hint)
    if words:
        declared = copy(declared)
        declared.help = words[-1].text
    return Annotated[kind, declared]
