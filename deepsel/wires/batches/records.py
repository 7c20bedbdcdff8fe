"""What the batch APIs have in common: a job as its provider tells of it, what became of a line, and the shape of an API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, Protocol

from deepsel.records import NamedTuple
from deepsel.values import Json, JsonObject

TAG = "deepsel_job"
"""The member of a job's metadata by which it is found again."""


class JobOrder(NamedTuple):
    """What a job is made of."""

    model: str
    """The id on the wire."""
    tag: str
    """Ours, for the provider's metadata."""
    window_s: int
    """How long it may take."""
    lines: Sequence[JsonObject] = ()
    """Empty where they were uploaded."""
    file_id: str = ""


class ProviderJob(NamedTuple):
    """One job as its provider tells of it."""

    id: str
    state: Literal["open", "ended", "refused"]
    """refused: it was never carried out, and nothing of it is billed."""
    word: str = ""
    """The provider's own word for it."""
    message: str = ""
    """Why it was refused."""
    files: tuple[str, ...] = ()
    """Where its results are: ids of files, or addresses."""
    rows: tuple[JsonObject, ...] = ()
    """Its results, where they stand in its answer."""
    lines: int | None = None
    """None: not told."""
    created_at: float | None = None
    """Seconds since the epoch; None: not told."""
    tag: str = ""


class RowOutcome(NamedTuple):
    """What became of one line."""

    custom_id: str
    kind: Literal["answered", "refused", "undone"]
    """undone: expired or cancelled, and not billed."""
    status: int = 200
    body: JsonObject = {}  # noqa: RUF012 - never changed
    """The answer, or the error, as the plain endpoint gives it."""


class BatchApi(Protocol):
    """One provider's way of taking many requests at once. Paths follow the base URL."""

    UPLOADS: bool
    """Whether the lines are a file that is uploaded first, to `/files` with the purpose `batch`."""
    JOBS: str
    """Where jobs are made and listed."""
    HAS_TAG: bool
    """Whether a job keeps our tag."""

    def line(self, custom_id: str, body: JsonObject, /) -> JsonObject:
        """Make one line of a job."""

    def create(self, order: JobOrder, /) -> JsonObject:
        """Make the body that creates a job."""

    def job(self, document: JsonObject, /) -> ProviderJob:
        """Read a job; raises ValueError where it is none."""

    def outcome(self, row: JsonObject, /) -> RowOutcome | None:
        """Read one row of the results; None where it is none."""

    def results_path(self, name: str, /) -> str:
        """Return the path, or the whole address, of one of a job's files."""


def jobs_in(api: BatchApi, document: JsonObject) -> list[ProviderJob]:
    """Read a list of jobs; what is none of them is passed over."""
    found = []
    rows = document.get("data")
    for row in rows if isinstance(rows, list) else ():
        try:
            found.append(api.job(row if isinstance(row, dict) else {}))
        except ValueError:
            continue
    return found


def text_of(document: Mapping[str, Json], name: str) -> str:
    """Return a member that is text; empty where it is none."""
    value = document.get(name)
    return value if isinstance(value, str) else ""


def id_of(document: Mapping[str, Json]) -> str:
    """Return the id of a job; raises ValueError where it has none."""
    name = text_of(document, "id")
    if not name or "/" in name or "?" in name:
        raise ValueError("a job without an id")
    return name


def object_of(document: Mapping[str, Json], name: str) -> JsonObject:
    """Return a member that is an object; an empty one where it is none."""
    value = document.get(name)
    return value if isinstance(value, dict) else {}


def number_of(document: Mapping[str, Json], name: str) -> float | None:
    """Return a member that is a number; None where it is none."""
    value = document.get(name)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def content_path(name: str) -> str:
    """Return the path of a file's content."""
    return f"/files/{name}/content"


def wrapped_outcome(row: JsonObject) -> RowOutcome | None:
    """Read a row of `{custom_id, response: {status_code, body}, error}`."""
    custom_id, response, error = text_of(row, "custom_id"), object_of(row, "response"), object_of(row, "error")
    if not custom_id:
        return None
    if text_of(error, "code") in ("batch_expired", "batch_cancelled"):
        return RowOutcome(custom_id, "undone")
    status = int(number_of(response, "status_code") or 0)
    body = object_of(response, "body")
    if not response:
        return RowOutcome(custom_id, "refused", 400, {"error": error}) if error else RowOutcome(custom_id, "undone")
    if not status or not body:  # as in "2,000 completed" with nothing in them
        return RowOutcome(custom_id, "undone")
    return RowOutcome(custom_id, "answered" if 200 <= status < 300 else "refused", status, body)
