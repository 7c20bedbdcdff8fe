"""What an answer is remembered by, so that the next identical invocation can print it again; how is the replay room's business."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from deepsel import config
from deepsel.catalog import overlay
from deepsel.cli.ask import records
from deepsel.cli.ask.footer import footer
from deepsel.cli.ask.request import cache_mode
from deepsel.cli.replay import memo
from deepsel.cli.terminal.output import end_with_newline
from deepsel.cli.terminal.terminal import is_terminal
from deepsel.show.record import dump

if TYPE_CHECKING:
    from deepsel.cli.ask.command import AskOptions
    from deepsel.cli.options import Common
    from deepsel.engine.hit import NextTime
    from deepsel.engine.run import Run
    from deepsel.values import Answer


def conditions_of(common: Common, options: AskOptions) -> memo.Conditions | None:
    """Look at the files that decide the answer, before they are read; None where it cannot be printed again."""
    is_written_elsewhere = options.explain or options.output or common.verbose or is_terminal(sys.stdout)
    is_more = options.show_thinking or options.extract is not None or options.compare or options.goes_on or options.conversation
    if is_written_elsewhere or is_more or cache_mode(options) not in ("auto", "on", "only"):
        return None
    if options.files and _are_several(options.files):  # others may come
        return None
    paths = config.find_paths(os.environ, common.config)
    schema = _schema_file(options.schema) if options.schema else None
    named = [path for path in (options.messages, options.system_file, schema, options.tools) if path is not None]
    if options.template is not None:
        from deepsel.templates.reading import find_template, folder_of

        # Both: one of the user's own may come to be.
        named += [find_template(options.template, paths.config_file).path, folder_of(paths.config_file) / f"{options.template}.toml"]
    files = [paths.config_file, paths.data_dir / overlay.FILE_NAME, *(options.files or []), *named]
    return memo.Conditions(files, os.environ)


def _are_several(paths: list[Path]) -> bool:
    from deepsel.cli.ask.documents import is_several

    return any(map(is_several, paths))


def _schema_file(text: str) -> Path | None:
    from deepsel.cli.ask.schemas import is_file

    return Path(text) if is_file(text) else None


def remember(
    run: Run, following: NextTime, options: AskOptions, common: Common, conditions: memo.Conditions, kept: str | None
) -> None:
    """Keep the output for the next identical invocation, which will be a hit; `kept`: what each replay is a question of once more."""
    lines = conditions.lines(name for one in run.providers for name in [one.api_key_env] if name)
    if lines is None:
        return
    one, other = (following.answer._replace(ttft_s=time_s, total_s=time_s) for time_s in (1, 2))
    memo.keep(
        following,
        outputs=(_output(one, options), _output(other, options)),
        footers=("", "") if common.quiet else (footer(one, times="1"), footer(other, times="2")),
        conditions=lines,
        conversation=kept,
    )


def _output(answer: Answer, options: AskOptions) -> str:
    """Write what goes to standard output."""
    if options.as_json:
        return dump(records.answer_record(answer, has_schema=options.schema is not None))
    return end_with_newline(answer.text)
