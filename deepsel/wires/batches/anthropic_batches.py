"""Jobs of Anthropic's Message Batches: the requests in the body, an outcome for each line, no metadata."""

from __future__ import annotations

from datetime import datetime

from deepsel.values import JsonObject
from deepsel.wires.batches.records import JobOrder, ProviderJob, RowOutcome, id_of, number_of, object_of, text_of

UPLOADS, JOBS, HAS_TAG = False, "/messages/batches", False


def line(custom_id: str, body: JsonObject) -> JsonObject:
    """Make one request of the batch."""
    return {"custom_id": custom_id, "params": body}


def create(order: JobOrder) -> JsonObject:
    """Make the body that creates a batch."""
    return {"requests": list(order.lines)}


def job(document: JsonObject) -> ProviderJob:
    """Read a batch; whether its lines were answered, each of them says."""
    word = text_of(document, "processing_status")
    counts = object_of(document, "request_counts")
    numbers = [number_of(counts, name) or 0 for name in ("processing", "succeeded", "errored", "canceled", "expired")]
    results = text_of(document, "results_url")
    return ProviderJob(
        id_of(document),
        "ended" if word == "ended" else "open",
        word,
        files=(results,) if results else (),
        lines=int(sum(numbers)) or None,
        created_at=_epoch(text_of(document, "created_at")),
    )


def outcome(row: JsonObject) -> RowOutcome | None:
    """Read one row of the results."""
    custom_id, result = text_of(row, "custom_id"), object_of(row, "result")
    kind = text_of(result, "type")
    if not custom_id or not kind:
        return None
    if kind == "succeeded":
        return RowOutcome(custom_id, "answered", 200, object_of(result, "message"))
    if kind == "errored":
        error = object_of(result, "error")
        inner = object_of(error, "error") or error
        status = {"invalid_request_error": 400, "authentication_error": 401, "billing_error": 402, "permission_error": 403}
        return RowOutcome(custom_id, "refused", status.get(text_of(inner, "type"), 500), {"type": "error", "error": inner})
    return RowOutcome(custom_id, "undone")


def results_path(name: str) -> str:
    """Return the address of the results as it was told."""
    return name


def _epoch(text: str) -> float | None:
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        return None
