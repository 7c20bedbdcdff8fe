"""The command line as a whole and the one error boundary; each command stands in a file or a folder of its own."""

from __future__ import annotations

from contextlib import suppress
from typing import Annotated

import typer
from typer.exceptions import TyperException

from deepsel.cli.commands import Commands
from deepsel.cli.options import Common, with_options
from deepsel.cli.terminal.output import silence_stdout, write_stdout
from deepsel.cli.terminal.streams import whole_streams
from deepsel.cli.terminal.terminal import tell_error, write_error
from deepsel.cli.typed import with_command
from deepsel.ending import has_ended
from deepsel.errors import DeepselError, ExitCode, StoppedByUser, UsageError
from deepsel.records import NamedTuple

EPILOG = (
    "Exit codes: 0 done, 2 usage, 3 configuration or key, 4 refused, 5 unavailable, 6 no route, 7 over budget, "
    "8 answer incomplete, 9 check failed, 130 interrupted."
)

app = typer.Typer(
    name="deepsel",
    cls=Commands,
    no_args_is_help=True,
    add_completion=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    pretty_exceptions_show_locals=False,  # keys live in locals
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=EPILOG,
)


def _show_version(wanted: bool) -> None:
    """Print the version and stop."""
    if wanted:
        from deepsel import __version__

        write_stdout(f"deepsel {__version__}\n")
        raise typer.Exit


class Start(NamedTuple):
    """What the program itself takes, beside the shared options."""

    version: Annotated[
        bool, typer.Option("--version", "-V", callback=_show_version, is_eager=True, help="Print the version.")
    ] = False


def deepsel(common: Common, start: Start) -> None:
    """Ask the right language model, at a known price, from the shell."""


app.callback()(with_options(deepsel, common_first=True))


def run(arguments: list[str]) -> int:
    """Run the command line; every failure a person can act on becomes one message and its exit code."""
    arguments = with_command(arguments)
    with whole_streams():
        try:
            command = typer.main.get_command(app)
            result = command.main(arguments, prog_name="deepsel", standalone_mode=False)
            return result if isinstance(result, int) else ExitCode.OK
        except DeepselError as error:
            return fail(error, arguments)
        except TyperException as error:
            return _usage(error, arguments)
        except BrokenPipeError:
            silence_stdout()
            return ExitCode.OK
        except (KeyboardInterrupt, typer.Abort):
            return ExitCode.INTERRUPTED
        except Exception:
            if has_ended():  # an import of C code that is interrupted says ImportError
                fail(StoppedByUser("interrupted"), arguments)
                raise KeyboardInterrupt from None
            write_error("this is a bug in deepsel; please report it with the lines below, none of which hold a key\n")
            raise  # exit code 1


def fail(error: DeepselError, arguments: list[str]) -> int:
    """Tell of an error, in a record too where one was asked for; return its exit code."""
    tell_error(error)
    with suppress(UsageError):  # of a standard output that takes nothing, which was just told
        _record(error, arguments)
    return error.exit_code


_FEWEST_WORDS = 3
"""So many words look like a question."""


def _record(error: DeepselError, arguments: list[str]) -> None:
    """Write the record of a command that was to write one and has not."""
    if "--json" in arguments and not error.is_recorded:
        from deepsel.cli.ask.records import unasked_record
        from deepsel.show.record import dump, failed_record

        is_ask = next((word for word in arguments if word in Commands.table), "") == "ask"
        write_stdout(dump(unasked_record(error) if is_ask else failed_record(error)))


def _usage(error: TyperException, arguments: list[str]) -> int:
    """Translate the parser's complaint into our form; a command without its words shows its help."""
    message = getattr(error, "format_message", lambda: str(error))().strip()
    context = getattr(error, "ctx", None)
    path = context.command_path if context else "deepsel"
    if message.startswith("Usage: "):
        write_stdout(message + "\n")
        return ExitCode.OK
    what, _, near = message.partition(". Did you mean ")
    what, _, possible = what.partition(" (Possible options: ")
    hint = near or possible.rstrip(")")
    text = what[:1].lower() + what[1:].rstrip(".")
    advice = f"did you mean {hint.rstrip('?')}?" if hint else f"see `{path} --help`"
    if text.startswith("no such command") and sum(not word.startswith("-") for word in arguments) >= _FEWEST_WORDS:
        advice += ' A question goes in quotes: `deepsel "..."`'
    return fail(UsageError(text, advice), arguments)
