"""The steps of `ask`: prompt, plan, explanation or answer, footer, exit. Draws nothing and routes nothing itself."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TextIO

from deepsel import config
from deepsel.catalog import overlay
from deepsel.cli import memo, records
from deepsel.cli import output as out
from deepsel.cli.context import Workshop, choose_profile, load_settings
from deepsel.cli.durations import seconds
from deepsel.cli.money import count, usd
from deepsel.cli.options import Common
from deepsel.cli.prompt import read_prompt
from deepsel.cli.terminal import is_terminal, write_note
from deepsel.clock import SystemClock
from deepsel.errors import StoppedByUser
from deepsel.values import Answer, JsonObject, Request, Tool

if TYPE_CHECKING:
    from deepsel.config import Profile, Settings
    from deepsel.engine.lookup import CacheMode
    from deepsel.engine.prepare import Prepared
    from deepsel.engine.run import Run, Tools
    from deepsel.engine.shortcut import Shortcut


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
    overrides: Mapping[str, Any]
    """Profile fields set by flags; None where not set."""


def run(common: Common, wishes: Wishes, env: Mapping[str, str], stdin: TextIO | None) -> None:
    """Answer or explain one request; raise the error that decides the exit code."""
    conditions = None
    is_written_elsewhere = wishes.explain or wishes.output or common.verbose or is_terminal(sys.stdout)
    if wishes.cache_mode in ("auto", "on", "only") and not is_written_elsewhere:
        conditions = memo.Conditions(_read_files(common, wishes, env), env)
    settings = load_settings(common, env)
    profile = choose_profile(settings, common, env).override(**wishes.overrides)
    if wishes.output:
        out.check_writable(wishes.output)
    piped = None if stdin is None or stdin.closed or stdin.isatty() else stdin.buffer
    prompt = read_prompt(wishes.prompt, files=wishes.files, system=wishes.system, messages=wishes.messages, stdin=piped)
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
    with Workshop(common.config, settings) as workshop:
        job = _Job(common, wishes, env, settings, profile, request, prompt.instruction, workshop)
        run_ = job.shortcut() or job.plan()
        if run_ is not None:
            job.show(run_)
    if conditions and run_:
        _keep_memo(run_, wishes, common, conditions)


class _Job(NamedTuple):
    """One request on its way through the commands' layer."""

    common: Common
    wishes: Wishes
    env: Mapping[str, str]
    settings: Settings
    profile: Profile
    request: Request
    instruction: str
    workshop: Workshop

    def shortcut(self) -> Shortcut | None:
        """Find the answer on the disk, where that needs no plan."""
        if self.wishes.explain or self.wishes.cache_mode in ("off", "refresh"):
            return None
        from deepsel.engine.shortcut import find

        return find(
            self.request,
            self.instruction,
            profile=self.profile,
            settings=self.settings,
            env=self.env,
            task=self.wishes.task,
            difficulty=self.wishes.difficulty,
            needs_difficulty=self.wishes.as_json,
            cache_mode=self.wishes.cache_mode,
            cache=self.workshop.cache(),
            log=self.workshop.log(),
            clock=SystemClock(),
        )

    def plan(self) -> Run | None:
        """Plan the request; None where the plan was only to be explained."""
        from deepsel.engine.prepare import ensure_route, prepare
        from deepsel.engine.run import Run

        tools = self.workshop.tools()
        prepared = prepare(
            self.request,
            self.instruction,
            profile=self.profile,
            settings=self.settings,
            env=self.env,
            at=tools.clock.now(),
            task=self.wishes.task,
            difficulty=self.wishes.difficulty,
            cache_mode=self.wishes.cache_mode,
            log=tools.log,
        )
        if self.wishes.explain:
            _explain(prepared, tools, self.wishes, self.common)
            return None
        if not prepared.look_up or prepared.cache_mode in ("off", "refresh"):
            ensure_route(prepared, self.settings)
        return Run(prepared, tools, is_shown=_shows_stream(self.wishes))

    def show(self, run_: Run | Shortcut) -> None:
        """Show what happens as it happens, then report."""
        from deepsel.cli.show import reader_for

        wishes, common, is_shown = self.wishes, self.common, _shows_stream(self.wishes)
        try:
            with (
                reader_for(is_shown=is_shown, quiet=common.quiet, verbose=common.verbose) as reader,
                closing(run_.events()) as events,
                _terminated_like_interrupted(),
            ):
                for event in events:
                    reader.take(event)
        except KeyboardInterrupt:
            _finish(run_, wishes, common, is_shown=is_shown, stopped=True)
            raise StoppedByUser("interrupted") from None
        if run_.unplanned is not None:
            from deepsel.engine.prepare import ensure_route

            ensure_route(run_.unplanned, self.settings)  # the cache had nothing, and nobody may be asked: this says why
        _finish(run_, wishes, common, is_shown=is_shown)


def _read_files(common: Common, wishes: Wishes, env: Mapping[str, str]) -> list[Path]:
    """List the files that decide the answer."""
    paths = config.find_paths(env, common.config)
    named = [path for path in (wishes.messages, wishes.schema_file, wishes.tools_file) if path is not None]
    return [paths.config_file, paths.data_dir / overlay.FILE_NAME, *wishes.files, *named]


def _keep_memo(run_: Run | Shortcut, wishes: Wishes, common: Common, conditions: memo.Conditions) -> None:
    """Keep the output for the next identical invocation, where that will be a hit."""
    following = run_.next_time()
    lines = conditions.lines(name for one in run_.providers for name in [one.api_key_env] if name)
    if following is None or lines is None:
        return
    record = records.dump(memo.gap(records.answer_record(following.answer))) if wishes.as_json else None
    memo.keep(
        following,
        output=record or out.end_with_newline(following.answer.text),
        footer=None if common.quiet else footer(following.answer, times=memo.GAP),
        conditions=lines,
    )


def _explain(prepared: Prepared, tools: Tools, wishes: Wishes, common: Common) -> None:
    """Print the plan."""
    from deepsel.cli.explain import cache_state, plan_text

    state = cache_state(prepared, tools)
    record = records.plan_record(prepared, state)
    text = records.dump(record) if wishes.as_json else plan_text(prepared, state, verbose=common.verbose)
    _deliver(text, wishes.output)


@contextmanager
def _terminated_like_interrupted() -> Iterator[None]:
    """Let SIGTERM end the request as Ctrl-C does, so that what has come is kept."""
    previous = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)


def _shows_stream(wishes: Wishes) -> bool:
    """Tell whether text goes to a reader as it comes: on a terminal, or in a pipe that asked for it.

    A pipe gets the answer when it is whole, so that a cut one can be asked again and nobody parses half of it.
    """
    if wishes.as_json or wishes.output or wishes.schema or wishes.stream is False:
        return False
    return bool(wishes.stream) or is_terminal(sys.stdout)


def _finish(run_: Run | Shortcut, wishes: Wishes, common: Common, *, is_shown: bool, stopped: bool = False) -> None:
    """Hand over what has not been shown yet, write the footer, and raise what went wrong."""
    answer, failure = run_.answer(), None if stopped else run_.failure()
    is_whole = failure is None and not stopped
    if wishes.as_json and (answer.attempts or is_whole or stopped):
        _deliver(records.dump(records.answer_record(answer)), wishes.output, is_whole=is_whole)
    elif not wishes.as_json and (text := records.answer_text(answer, is_shown=is_shown)):
        _deliver(text, wishes.output, is_whole=is_whole)
    if not common.quiet:
        for notice in answer.warnings:
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
    if answer.provider.startswith("demo"):
        parts.insert(1, "simulated")
    return " · ".join(parts)
