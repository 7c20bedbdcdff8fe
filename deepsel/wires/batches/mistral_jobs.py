"""Jobs of Mistral's batch API: fewer than 10,000 requests in the body, one model a job, files of results."""

from __future__ import annotations

from deepsel.values import JsonObject
from deepsel.wires.batches.records import (
    TAG,
    JobOrder,
    ProviderJob,
    content_path,
    id_of,
    number_of,
    object_of,
    text_of,
    wrapped_outcome,
)

UPLOADS, JOBS, HAS_TAG = False, "/batch/jobs", True
outcome, results_path = wrapped_outcome, content_path
_ENDED = ("SUCCESS", "TIMEOUT_EXCEEDED", "CANCELLED")
_HOUR_S = 3600


def line(custom_id: str, body: JsonObject) -> JsonObject:
    """Make one request of the job; the model is the job's."""
    return {"custom_id": custom_id, "body": {name: value for name, value in body.items() if name != "model"}}


def create(order: JobOrder) -> JsonObject:
    """Make the body that creates a job."""
    return {
        "endpoint": "/v1/chat/completions",
        "model": order.model,
        "timeout_hours": max(1, order.window_s // _HOUR_S),
        "metadata": {TAG: order.tag},
        "requests": list(order.lines),
    }


def job(document: JsonObject) -> ProviderJob:
    """Read a job."""
    word = text_of(document, "status")
    errors = document.get("errors")
    first = errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], dict) else {}
    total = number_of(document, "total_requests")
    files = tuple(name for member in ("output_file", "error_file") if (name := text_of(document, member)))
    is_over = word in _ENDED or (word == "FAILED" and bool(files))
    return ProviderJob(
        id_of(document),
        "ended" if is_over else "refused" if word == "FAILED" else "open",
        word,
        text_of(first, "message"),
        files=files,
        lines=None if not total else int(total),
        created_at=number_of(document, "created_at"),
        tag=text_of(object_of(document, "metadata"), TAG),
    )
