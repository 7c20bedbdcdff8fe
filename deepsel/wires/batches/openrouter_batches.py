"""Jobs of OpenRouter's batch API: the requests in the body, behind endpoint and model; the results in the job's own answer."""

from __future__ import annotations

from deepsel.values import JsonObject
from deepsel.wires.batches.records import (
    JobOrder,
    ProviderJob,
    RowOutcome,
    id_of,
    number_of,
    object_of,
    text_of,
    wrapped_outcome,
)

UPLOADS, JOBS, HAS_TAG = False, "/batches", False
_ENDED = ("completed", "expired", "cancelled")


def line(custom_id: str, body: JsonObject) -> JsonObject:
    """Make one request of the batch; the model is the batch's."""
    return {"custom_id": custom_id, "body": {name: value for name, value in body.items() if name != "model"}}


def create(order: JobOrder) -> JsonObject:
    """Make the body that creates a batch; `endpoint` and `model` have to stand before `requests`."""
    return {"endpoint": "/v1/chat/completions", "model": order.model, "requests": list(order.lines)}


def job(document: JsonObject) -> ProviderJob:
    """Read a batch; of one that has expired nothing is told."""
    word = text_of(document, "status")
    rows = document.get("results")
    total = number_of(object_of(document, "request_counts"), "total")
    return ProviderJob(
        id_of(document),
        "ended" if word in _ENDED else "refused" if word == "failed" else "open",
        word,
        text_of(object_of(document, "error"), "message"),
        rows=tuple(row for row in rows if isinstance(row, dict)) if isinstance(rows, list) else (),
        lines=None if not total else int(total),
        created_at=number_of(document, "created_at"),
    )


def outcome(row: JsonObject) -> RowOutcome | None:
    """Read one row of the results: one of response and error, with status and body or the plain answer."""
    response = object_of(row, "response")
    if response and "status_code" not in response and ("choices" in response or "error" in response):
        return wrapped_outcome({**row, "response": {"status_code": 200, "body": response}})
    return wrapped_outcome(row)


def results_path(name: str) -> str:
    """Return nothing of use: there are no files."""
    return name
