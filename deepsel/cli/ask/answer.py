"""How an answer is handed over: shown as it comes, reported when it is whole, or the plan in its place. Draws and routes nothing."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from deepsel.cli.ask import records
from deepsel.cli.ask.footer import footer
from deepsel.cli.context import one_of_home
from deepsel.cli.terminal import output as out
from deepsel.cli.terminal.output import end_with_newline
from deepsel.cli.terminal.terminal import is_terminal, write_note
from deepsel.ending import shielded
from deepsel.errors import DeepselError, StoppedByUser, UsageError
from deepsel.show.record import dump

if TYPE_CHECKING:
    from deepsel.cli.ask.command import AskOptions
    from deepsel.cli.ask.talk import Talk
    from deepsel.cli.options import Common
    from deepsel.engine.lookup import CachePeek
    from deepsel.engine.prepare import Prepared
    from deepsel.engine.run import Run


def show(run: Run, options: AskOptions, common: Common, talk: Talk | None = None) -> None:
    """Show what happens as it happens, then report."""
    from deepsel.cli.terminal.show import reader_for

    is_shown, events = shows_stream(options), run.events()
    try:
        with (
            reader_for(is_shown=is_shown, common=common, raw=options.raw, thinks=options.show_thinking) as reader,
            closing(events),
        ):
            for event in events:
                reader.take(event)
    except KeyboardInterrupt:
        events.close()
        run.settle()
        with suppress(UsageError):  # the terminal may be what went away
            _finish(run, options, common, is_shown=is_shown, failure=_stopped(), talk=talk)
        raise _stopped() from None
    try:
        with shielded():  # what was paid for is handed over
            _finish(run, options, common, is_shown=is_shown, failure=run.failure(), talk=talk)
    except KeyboardInterrupt:
        raise _stopped() from None


@contextmanager
def told_in_a_record(options: AskOptions) -> Iterator[None]:
    """Let no `--json` end without a record: what goes wrong before anybody is asked is told in one too."""
    try:
        yield
    except (DeepselError, KeyboardInterrupt) as end:
        error = end if isinstance(end, DeepselError) else StoppedByUser("interrupted")
        if options.as_json and not error.is_recorded:
            error.is_recorded = True
            out.write_stdout(dump(records.unasked_record(error)))
        raise error from None


def _stopped() -> StoppedByUser:
    """Make the error of a request that the user ended, after its record was written."""
    error = StoppedByUser("interrupted")
    error.is_recorded = True
    return error


def explain(prepared: Prepared, peek: CachePeek, options: AskOptions, common: Common) -> None:
    """Print the plan."""
    from deepsel.cli.ask.explain import cache_record, plan_text

    state = cache_record(peek)
    record = records.plan_record(prepared, state)
    text = dump(record) if options.as_json else plan_text(prepared, state, verbose=common.verbose)
    _deliver(text, options.output)


def shows_stream(options: AskOptions) -> bool:
    """Tell whether text goes to a reader as it comes: on a terminal, or in a pipe that asked for it.

    A pipe gets the answer when it is whole, so that a cut one can be asked again and nobody parses half of it.
    """
    is_made_up = options.as_json or options.schema or options.extract is not None
    if is_made_up or options.output or options.stream is False:
        return False
    return bool(options.stream) or is_terminal(sys.stdout)


def _finish(
    run: Run, options: AskOptions, common: Common, *, is_shown: bool, failure: DeepselError | None, talk: Talk | None
) -> None:
    """Hand over what has not been shown yet, write the footer, and raise what went wrong."""
    answer = run.answer()
    is_whole = failure is None
    if options.as_json:
        if failure is not None:
            failure.is_recorded = True
        record = records.answer_record(answer, failure, has_schema=options.schema is not None)
        record |= {"conversation": talk.record(answer)} if talk else {}
        _deliver(dump(record), options.output, is_whole=is_whole)
    elif options.extract is not None and is_whole:
        from deepsel.cli.ask.extract import extracted

        _deliver(end_with_newline(extracted(answer.text, options.extract)), options.output)
    elif (text := records.answer_text(answer, is_shown=is_shown)):
        _deliver(text, options.output, is_whole=is_whole)
    if not common.quiet:
        for notice in one_of_home(answer.warnings, run.settings):
            write_note(f"warning: {notice.message}")
        if is_whole or answer.text:
            write_note(footer(answer, kept_s=run.settings.cache.ttl_s) + (f" · {talk.told(answer)}" if talk else ""))
    if failure is not None:
        raise failure


def _deliver(text: str, path: Path | None, *, is_whole: bool = True) -> None:
    """Write to stdout or to the file; an answer that is not whole never replaces a file."""
    if path is None or is_whole:
        out.deliver(text, path)
    else:
        out.write_file(out.partial_path(path), text)
        unchanged = f"; `{path}` is unchanged" if path.exists() else ""
        write_note(f"warning: what came was written to `{out.partial_path(path)}`{unchanged}")
