"""What the user thought of answers, one line each in `ratings.jsonl` of the data folder; holds no text of any prompt."""

from __future__ import annotations

import json
from pathlib import Path

from deepsel.errors import OTHER_HOME, ConfigError
from deepsel.records import NamedTuple
from deepsel.storage import files

FILE_NAME = "ratings.jsonl"
MIDDLE = 0.5
"""The difficulty of an answer whose difficulty nobody wrote down."""


class Rating(NamedTuple):
    """One answer that was judged."""

    at: float
    """When the answer came, in seconds since the epoch: its name."""
    model: str
    task: str
    is_good: bool


def rate(folder: Path, rating: Rating) -> None:
    """Write a rating; a later one of the same answer takes its place. Raises ConfigError where it cannot be written."""
    kept = [one for one in read_ratings(folder) if (one.at, one.model) != (rating.at, rating.model)]
    text = "".join(json.dumps(one._asdict()) + "\n" for one in [*kept, rating])
    try:
        files.make_private_folder(folder)
        files.write_whole(folder / FILE_NAME, text.encode())
    except OSError as error:
        words = f"cannot write `{folder / FILE_NAME}`: {(error.strerror or 'input/output error').lower()}"
        raise ConfigError(words, f"check its permissions, or {OTHER_HOME}") from error


def read_ratings(folder: Path) -> list[Rating]:
    """Read every rating; a line that is none is left out. Raises ConfigError where the file cannot be read."""
    path = folder / FILE_NAME
    try:
        lines = files.read_own(path).decode("utf-8", "replace").splitlines() if path.exists() else []
    except OSError as error:
        words = f"cannot read `{path}`: {(error.strerror or 'input/output error').lower()}"
        raise ConfigError(words, f"check its permissions, or {OTHER_HOME}") from error
    return [rating for rating in map(_rating, lines) if rating is not None]


def _rating(line: str) -> Rating | None:
    """Read one line; None where it is no rating."""
    try:
        row = json.loads(line)
        rating = Rating(float(row["at"]), row["model"], row["task"], row["is_good"])
    except (ValueError, TypeError, KeyError):
        return None
    is_whole = isinstance(rating.model, str) and isinstance(rating.task, str) and isinstance(rating.is_good, bool)
    return rating if is_whole else None
