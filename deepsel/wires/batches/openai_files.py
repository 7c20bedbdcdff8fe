"""Jobs of OpenAI's form, which DashScope has too: a file of lines, a batch of it, files of results."""

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

UPLOADS, JOBS, HAS_TAG = True, "/batches", True
outcome, results_path = wrapped_outcome, content_path
_ENDPOINT = "/v1/chat/completions"
_ENDED = ("completed", "expired", "cancelled")
_HOUR_S = 3600


def line(custom_id: str, body: JsonObject) -> JsonObject:
    """Make one line of the file."""
    return {"custom_id": custom_id, "method": "POST", "url": _ENDPOINT, "body": body}


def create(order: JobOrder) -> JsonObject:
    """Make the body that creates a batch of an uploaded file."""
    window = f"{max(1, order.window_s // _HOUR_S)}h"
    return {"input_file_id": order.file_id, "endpoint": _ENDPOINT, "completion_window": window, "metadata": {TAG: order.tag}}


def job(document: JsonObject) -> ProviderJob:
    """Read a batch: of one that expired or was cancelled, what was finished is in its files."""
    word = text_of(document, "status")
    errors = object_of(document, "errors").get("data")
    first = errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], dict) else {}
    total = number_of(object_of(document, "request_counts"), "total")
    return ProviderJob(
        id_of(document),
        "ended" if word in _ENDED else "refused" if word == "failed" else "open",
        word,
        text_of(first, "message"),
        files=tuple(name for member in ("output_file_id", "error_file_id") if (name := text_of(document, member))),
        lines=None if not total else int(total),
        created_at=number_of(document, "created_at"),
        tag=text_of(object_of(document, "metadata"), TAG),
    )
