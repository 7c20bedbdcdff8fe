"""The steps of `deepsel route eval`: read the file, plan each prompt under each strategy, reckon, show, learn."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deepsel import config
from deepsel.cli.checked import instant, one_of, refuse
from deepsel.cli.context import choose_profile, load_settings, open_session
from deepsel.cli.options import Common
from deepsel.cli.terminal.output import check_writable, write_file, write_stdout
from deepsel.cli.terminal.terminal import write_note
from deepsel.config import Profile, Settings
from deepsel.engine.ask import Ask
from deepsel.engine.prepare import Prepared
from deepsel.errors import ConfigError, UsageError
from deepsel.health.ratings import MIDDLE, read_ratings
from deepsel.reads import read_file
from deepsel.records import NamedTuple
from deepsel.routing import evaluation, learning
from deepsel.routing.candidates import Needs, Policy
from deepsel.routing.plan import plan
from deepsel.values import STRATEGIES, TASKS, Message, Request

if TYPE_CHECKING:
    from deepsel.cli.route.command import RouteEvalOptions

_MOST_BYTES = 64 << 20
_LEARNED_FROM = "they come from `scores` of the file and from `ask --rate`"


class JudgedPrompt(NamedTuple):
    """One line of the file."""

    prompt: str
    task: str | None
    scores: Mapping[str, float]


class Evaluation(NamedTuple):
    """Everything that is shown."""

    rows: list[evaluation.Scored]
    strategies: list[evaluation.Reached]
    baselines: list[evaluation.Reached]
    pair: tuple[str, str] | None
    apgr: float | None
    at: datetime

    @property
    def task_accuracy(self) -> tuple[int, int] | None:
        """Return how many of the tasks that were named were detected, and of how many; None where none was named."""
        named = [row for row in self.rows if row.named_task]
        return (sum(row.task == row.named_task for row in named), len(named)) if named else None


def carry_out(common: Common, options: RouteEvalOptions) -> None:
    """Go through the steps."""
    if options.output:
        check_writable(options.output)
    lines = list(read_lines(options.path))
    settings = load_settings(common)
    profile = choose_profile(settings, common)
    names = tuple(options.models or ()) or _judged_models(lines) or profile.models
    profile = profile.override(models=names)
    at = instant("--at", options.at) if options.at else None
    with open_session(common, settings) as session:
        found = [_planned(session.explain(_ask(line, profile), at=at)[0], line) for line in lines]
        at = at or session.clock.now()
        folder = session.paths.data_dir
    shown = _reckoned(found, options, at)
    _show(shown, options)
    if options.learn:
        _learn(found, settings, folder, common)


def read_lines(path: Path) -> Iterator[JudgedPrompt]:
    """Read the file; raises UsageError that names the line which is wrong."""
    is_stdin = str(path) == "-"
    try:
        raw = sys.stdin.buffer.read(_MOST_BYTES + 1) if is_stdin else read_file(path, most_bytes=_MOST_BYTES)
    except OSError as error:
        raise UsageError(f"cannot read `{path}`: {(error.strerror or 'input/output error').lower()}") from error
    number = 0
    for number, text in enumerate(raw.decode("utf-8-sig", "replace").splitlines(), start=1):
        if text.strip():
            yield _line(text, f"line {number} of `{path}`")
    refuse(number == 0, f"`{path}` holds no prompt", 'write a line such as {"prompt": "What is DNS?"}')


def _line(text: str, place: str) -> JudgedPrompt:
    """Read one line."""
    try:
        row = json.loads(text)
    except ValueError:
        raise UsageError(f"{place} is not JSON", 'write one object a line: {"prompt": "...", "scores": {"MODEL": 1}}') from None
    refuse(not isinstance(row, dict) or not isinstance(row.get("prompt"), str), f"{place} has no text called `prompt`")
    unknown = sorted(set(row) - {"prompt", "task", "scores", "id"})
    refuse(bool(unknown), f"{place} has `{unknown[0] if unknown else ''}`, which is not known", "it takes prompt, task, scores, id")
    task, scores = row.get("task"), row.get("scores") or {}
    if task is not None:
        one_of(f"task of {place}", task, TASKS)
    is_scores = isinstance(scores, dict) and all(_is_score(value) for value in scores.values())
    refuse(not is_scores, f"the scores of {place} are not numbers from 0 to 1 by model")
    return JudgedPrompt(row["prompt"], task, scores)


def _is_score(value: Any) -> bool:
    """Tell whether a value is a number from 0 to 1."""
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1


def _judged_models(lines: list[JudgedPrompt]) -> tuple[str, ...]:
    """Name the models that were scored, in the order they first appear."""
    return tuple(dict.fromkeys(model for line in lines for model in line.scores))


def _ask(line: JudgedPrompt, profile: Profile) -> Ask:
    """Make the request of a prompt; `only` asks the cache and so needs no key."""
    return Ask(Request((Message.of("user", line.prompt),)), line.prompt, profile, cache_mode="only")


def _planned(prepared: Prepared, line: JudgedPrompt) -> evaluation.Scored:
    """Plan a prompt anew under each strategy, from what was found out once."""
    candidates = list(prepared.candidates.values())
    needs = Needs(prepared.task, prepared.difficulty)
    choices = {}
    for strategy in STRATEGIES:
        made = plan(candidates, needs, Policy(strategy=strategy, pins=prepared.profile.tasks))
        choices[strategy] = made.choices[0].model if made.choices else ""
    costs: dict[str, Decimal | None] = {one.model.name: one.bill.total_usd for one in candidates}
    return evaluation.Scored(line.prompt, prepared.task, prepared.difficulty, line.scores, costs, choices, line.task)


def _reckoned(rows: list[evaluation.Scored], options: RouteEvalOptions, at: datetime) -> Evaluation:
    """Reckon everything that is shown."""
    strategies = [evaluation.reached(name, rows, [row.choices[name] for row in rows]) for name in STRATEGIES]
    pair = _pair(options.pair) if options.pair else evaluation.pair_of(rows)
    value = evaluation.apgr(rows, *pair) if pair else None
    return Evaluation(rows, strategies, evaluation.baselines(rows), pair, value, at)


def _pair(text: str) -> tuple[str, str]:
    """Read `--pair`."""
    weak, comma, strong = (part.strip() for part in text.partition(","))
    refuse(not (weak and comma and strong), f"`--pair` takes two models, not `{text}`", "write `--pair WEAK,STRONG`")
    return weak, strong


def _show(shown: Evaluation, options: RouteEvalOptions) -> None:
    """Write the report in the form that was chosen, to the place that was chosen."""
    from deepsel.cli.route.page import page
    from deepsel.cli.route.text import record, table
    from deepsel.show.record import dump

    text = dump(record(shown)) if options.form == "json" else page(shown) if options.form == "html" else table(shown)
    if options.output:
        write_file(options.output, text)
    else:
        write_stdout(text)


def _learn(rows: list[evaluation.Scored], settings: Settings, folder: Path, common: Common) -> None:
    """Fit strengths to the scores and the ratings, and write them into the user's profiles.toml."""
    path = settings.config_file
    if path is None:
        raise ConfigError("there is no profiles.toml to write to", "make one with `deepsel init`")
    judged = [
        learning.Judged(model, row.named_task or row.task, row.difficulty, score) for row in rows for model, score in row.scores.items()
    ]
    judged += [learning.Judged(one.model, one.task, MIDDLE, float(one.is_good)) for one in read_ratings(folder)]
    names = {one.model for one in judged} & {*settings.models, *settings.catalog.models}
    known = {name: dict(config.find_model(settings, name).capability) for name in names}
    learned = [one for one in learning.learn(judged, known) if one.model in names and one.task in TASKS]
    if not learned:
        least = f"at least {learning.LEAST_JUDGED} judged answers of a model to a task are needed"
        write_note(f"nothing was learned: {least} ({_LEARNED_FROM})")
        return
    from deepsel.config.writer import with_strengths

    figures: dict[str, dict[str, float]] = {}
    for one in learned:
        figures.setdefault(one.model, {})[one.task] = one.after
    text = with_strengths(read_file(path, most_bytes=_MOST_BYTES).decode("utf-8-sig"), figures)
    config.parse_settings(text.encode(), path, settings.catalog)
    write_file(path, text)
    if not common.quiet:
        for one in learned:
            before = "nothing" if one.before is None else f"{one.before:.2f}"
            write_note(f"{one.model} {one.task}: strength {before} -> {one.after:.2f} from {one.judged} answers")
        write_note(f"written into `{path}`")
