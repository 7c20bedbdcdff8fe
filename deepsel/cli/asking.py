"""The steps of `ask`: prompt, plan, explanation or answer, footer, exit. Draws nothing and routes nothing itself."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TextIO

from deepsel import config
from deepsel.catalog import overlay
from deepsel.cli import memo, records
from deepsel.cli import output as out
from deepsel.cli.context import choose_profile, load_settings, one_of_home, open_session
from deepsel.cli.options import Common
from deepsel.cli.prompt import read_prompt
from deepsel.cli.terminal import is_terminal, write_note
from deepsel.ending import shielded
from deepsel.engine.ask import Ask
from deepsel.errors import DeepselError, StoppedByUser, UsageError
from deepsel.show.durations import seconds
from deepsel.show.money import usd
from deepsel.show.numbers import count
from deepsel.values import Answer, JsonObject, Request, Tool

if TYPE_CHECKING:
    from deepsel.engine.ask import CacheMode
    from deepsel.engine.hit import NextTime
    from deepsel.engine.lookup import CachePeek
    from deepsel.engine.prepare import Prepared
    from deepsel.engine.run import Run


class Wishes(NamedTuple):
    """What was asked for on the command line."""

    prompt: str | None
    files: list[Path]
    system: str | None
    messages: Path | None
    task: str | None
    difficulty: float | None
    schema: JsonObject | None
    schema_file: Path | None
    tools: tuple[Tool, ...]
    tools_file: Path | None
    params: JsonObject
    cache_mode: CacheMode
    stream: bool | None
    as_json: bool
    explain: bool
    output: Path | None
    no_stdin: bool
    overrides: Mapping[str, Any]
    """Profile fields set by flags; None where not set."""


def run(common: Common, wishes: Wishes, env: Mapping[str, str], stdin: TextIO | None) -> None:
    """Answer or explain one request; raise the error that decides the exit code, told in a record where one is wanted."""
    try:
        _run(common, wishes, env, stdin)
    except (DeepselError, KeyboardInterrupt) as end:
        error = end if isinstance(end, DeepselError) else StoppedByUser("interrupted")
        if wishes.as_json and not error.is_recorded:
            error.is_recorded = True
            out.write_stdout(records.dump(records.unasked_record(error)))
        raise error from None


def _run(common: Common, wishes: Wishes, env: Mapping[str, str], stdin: TextIO | None) -> None:
    """Go through the steps."""
    conditions = None
    is_written_elsewhere = wishes.explain or wishes.output or common.verbose or is_terminal(sys.stdout)
    if wishes.cache_mode in ("auto", "on", "only") and not is_written_elsewhere:
        conditions = memo.Conditions(_read_files(common, wishes, env), env)
    settings = load_settings(common, env)
    profile = choose_profile(settings, common, env).override(**wishes.overrides)
    if wishes.output:
        out.check_writable(wishes.output)
    is_left = wishes.no_stdin or stdin is None or stdin.closed or stdin.isatty()
    prompt = read_prompt(
        wishes.prompt,
        files=wishes.files,
        system=wishes.system,
        messages=wishes.messages,
        stdin=None if is_left or stdin is None else stdin.buffer,
        stdin_limit_s=wishes.overrides["timeout_s"],
    )
    request = Request(
        messages=prompt.messages,
        max_tokens=profile.max_tokens,
        temperature=profile.temperature,
        seed=profile.seed,
        schema=wishes.schema,
        params=wishes.params,
        stream=wishes.stream is not False,
        tools=wishes.tools,
    )
    ask = Ask(
        request,
        prompt.instruction,
        profile,
        task=wishes.task,
        difficulty=wishes.difficulty,
        cache_mode=wishes.cache_mode,
        needs_difficulty=wishes.as_json,
    )
    with open_session(common, settings) as session:
        if wishes.explain:
            _explain(*session.explain(ask), wishes, common)
            return
        run_ = session.ask(ask, is_shown=_shows_stream(wishes))
        _show(run_, wishes, common)
        following = run_.next_time() if conditions else None
    if conditions and following:  # the files have to be closed: a memo goes by their state
        _keep_memo(run_, following, wishes, common, conditions)


def _show(run_: Run, wishes: Wishes, common: Common) -> None:
    """Show what happens as it happens, then report."""
    from deepsel.cli.show import reader_for

    is_shown, events = _shows_stream(wishes), run_.events()
    try:
        with (
            reader_for(is_shown=is_shown, quiet=common.quiet, verbose=common.verbose) as reader,
            closing(events),
        ):
            for event in events:
                reader.take(event)
    except KeyboardInterrupt:
        events.close()
        run_.settle()
        with suppress(UsageError):  # the terminal may be what went away
            _finish(run_, wishes, common, is_shown=is_shown, stopped=True)
        raise _stopped() from None
    try:
        with shielded():  # what was paid for is handed over
            _finish(run_, wishes, common, is_shown=is_shown)
    except KeyboardInterrupt:
        raise _stopped() from None


def _stopped() -> StoppedByUser:
    """Make the error of a request that the user ended, after its record was written."""
    error = StoppedByUser("interrupted")
    error.is_recorded = True
    return error


def _read_files(common: Common, wishes: Wishes, env: Mapping[str, str]) -> list[Path]:
    """List the files that decide the answer."""
    paths = config.find_paths(env, common.config)
    named = [path for path in (wishes.messages, wishes.schema_file, wishes.tools_file) if path is not None]
    return [paths.config_file, paths.data_dir / overlay.FILE_NAME, *wishes.files, *named]


def _keep_memo(run_: Run, following: NextTime, wishes: Wishes, common: Common, conditions: memo.Conditions) -> None:
    """Keep the output for the next identical invocation, which will be a hit."""
    lines = conditions.lines(name for one in run_.providers for name in [one.api_key_env] if name)
    if lines is None:
        return
    record = records.dump(memo.gap(records.answer_record(following.answer))) if wishes.as_json else None
    memo.keep(
        following,
        output=record or out.end_with_newline(following.answer.text),
        footer=None if common.quiet else footer(following.answer, times=memo.GAP),
        conditions=lines,
    )


def _explain(prepared: Prepared, peek: CachePeek, wishes: Wishes, common: Common) -> None:
    """Print the plan."""
    from deepsel.cli.explain import cache_record, plan_text

    state = cache_record(peek)
    record = records.plan_record(prepared, state)
    text = records.dump(record) if wishes.as_json else plan_text(prepared, state, verbose=common.verbose)
    _deliver(text, wishes.output)


def _shows_stream(wishes: Wishes) -> bool:
    """Tell whether text goes to a reader as it comes: on a terminal, or in a pipe that asked for it.

    A pipe gets the answer when it is whole, so that a cut one can be asked again and nobody parses half of it.
    """
    if wishes.as_json or wishes.output or wishes.schema or wishes.stream is False:
        return False
    return bool(wishes.stream) or is_terminal(sys.stdout)


def _finish(run_: Run, wishes: Wishes, common: Common, *, is_shown: bool, stopped: bool = False) -> None:
    """Hand over what has not been shown yet, write the footer, and raise what went wrong."""
    answer, failure = run_.answer(), _stopped() if stopped else run_.failure()
    is_whole = failure is None
    if wishes.as_json:
        if failure is not None:
            failure.is_recorded = True
        _deliver(records.dump(records.answer_record(answer, failure)), wishes.output, is_whole=is_whole)
    elif not wishes.as_json and (text := records.answer_text(answer, is_shown=is_shown)):
        _deliver(text, wishes.output, is_whole=is_whole)
    if not common.quiet:
        for notice in one_of_home(answer.warnings, run_.settings):
            write_note(f"warning: {notice.message}")
        if is_whole or answer.text:
            write_note(footer(answer))
    if failure is not None:
        raise failure


def _deliver(text: str, path: Path | None, *, is_whole: bool = True) -> None:
    """Write to stdout or to the file; an answer that is not whole never replaces a file."""
    if path is None:
        out.write_stdout(text)
    elif is_whole:
        out.write_file(path, text)
    else:
        out.write_file(out.partial_path(path), text)
        unchanged = f"; `{path}` is unchanged" if path.exists() else ""
        write_note(f"warning: what came was written to `{out.partial_path(path)}`{unchanged}")


def footer(answer: Answer, *, times: str | None = None) -> str:
    """Say in one line what answered, how much it took, what it cost and what the cache did; `times` None: its own."""
    usage = answer.usage
    written = f"{count(usage.input_tokens)} + {count(usage.output_tokens)} tokens"
    if usage.cache_read:
        written += f" ({count(usage.cache_read)} cached)"
    if usage.source != "reported":
        written += f" ({usage.source})"
    times = times or seconds(answer.total_s)
    if answer.ttft_s is not None and answer.cache.status != "hit":
        times += f", first token {seconds(answer.ttft_s)}"
    tier = f" ({answer.cache.tier})" if answer.cache.tier else ""
    parts = [answer.model, written, usd(answer.cost_usd), times, f"cache {answer.cache.status}{tier}"]
    if answer.is_simulated:
        parts.insert(1, "simulated")
    return " · ".join(parts)
