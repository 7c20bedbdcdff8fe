"""The options every command shares, declared once; they may stand before or after the command's name."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer


class Common(NamedTuple):
    """What the shared options say."""

    config: Path | None = None
    profile: str | None = None
    quiet: bool = False
    verbose: bool = False

    def merged(self, outer: Common) -> Common:
        """Fill what was not given after the command's name from what was given before it."""
        return Common(
            self.config or outer.config,
            self.profile or outer.profile,
            self.quiet or outer.quiet,
            self.verbose or outer.verbose,
        )


def _parameters() -> list[inspect.Parameter]:
    """Declare the four options as keyword parameters for typer."""
    declared: dict[str, tuple[Any, Any]] = {
        "config": (
            Annotated[Path | None, typer.Option("--config", metavar="PATH", help="Read this profiles.toml.")],
            None,
        ),
        "profile": (
            Annotated[str | None, typer.Option("--profile", "-p", metavar="NAME", help="Work with this profile.")],
            None,
        ),
        "quiet": (Annotated[bool, typer.Option("--quiet", "-q", help="Nothing on stderr but errors.")], False),
        "verbose": (Annotated[bool, typer.Option("--verbose", "-v", help="More on stderr.")], False),
    }
    return [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
        for name, (annotation, default) in declared.items()
    ]


def with_common(command: Callable[..., None]) -> Callable[..., None]:
    """Give `command` the shared options; it receives them as its first argument, a Common."""
    signature = inspect.signature(command, eval_str=True)
    own = list(signature.parameters.values())[1:]
    context = inspect.Parameter("ctx", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context)

    def call(**values: Any) -> None:
        ctx: typer.Context = values.pop("ctx")
        inner = Common(**{parameter.name: values.pop(parameter.name) for parameter in _parameters()})
        outer = next((c.obj for c in _parents(ctx) if isinstance(c.obj, Common)), Common())
        command(inner.merged(outer), **values)

    parameters = [context, *(p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in own), *_parameters()]
    call.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]  # read by typer
    call.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    call.__name__, call.__doc__ = command.__name__, command.__doc__
    return call


def remember_common(ctx: typer.Context, common: Common) -> None:
    """Keep what was given before the command's name."""
    ctx.obj = common


def _parents(ctx: typer.Context) -> list[Any]:
    """List the context and those around it, inner first."""
    chain: list[Any] = []
    current: Any = ctx
    while current is not None:
        chain.append(current)
        current = current.parent
    return chain
