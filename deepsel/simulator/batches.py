"""The batch APIs of the simulator: files, jobs and their results in the forms of four makers, with their bad days; knows no socket.

Jobs are answered when they are first asked after, once the scenario's `batch_s` has passed; results come in reverse order.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from deepsel.clock import Clock
from deepsel.simulator.answers.content import compose
from deepsel.simulator.answers.reply import Frame, Mark, Reply, UnreadableRequest
from deepsel.simulator.replies import json_reply
from deepsel.simulator.scenario import Behaviour, Scenario
from deepsel.simulator.wires.table import SimulatedWire, wire_for

BAD_DAYS = ("half_expired", "results_missing", "create_lost", "late_validation", "errored_lines")
"""Half of a job expires; a third of its results are missing; a job is made and its maker not told; a job is refused only after its
time; a third of its lines end in an error inside a finished job."""


@dataclass(slots=True)
class SimulatedJob:
    """One job."""

    id: str
    form: str
    requests: list[Mapping[str, Any]]
    model: str | None
    metadata: Mapping[str, Any]
    made_at: float
    made_s: float
    day: str = ""
    """The bad day it meets; empty: none."""
    is_cancelled: bool = False
    rows: list[dict[str, Any]] | None = None
    """The results, once it has ended."""


@dataclass(slots=True)
class _Shelf:
    """What was brought."""

    files: dict[str, bytes] = field(default_factory=dict)
    jobs: dict[str, SimulatedJob] = field(default_factory=dict)
    count: int = 0


class Batches:
    """The jobs of one simulator; safe to use from any thread."""

    def __init__(self, scenario: Scenario, clock: Clock) -> None:
        self._scenario, self._clock = scenario, clock
        self._lock = threading.Lock()
        self._shelf = _Shelf()

    @property
    def answered(self) -> list[str]:
        """Every `custom_id` that was answered and is billed, as often as it was."""
        with self._lock:
            rows = [row for job in self._shelf.jobs.values() for row in job.rows or ()]
        return [row["custom_id"] for row in rows if row["kind"] == "answered"]

    def reply(self, method: str, path: str, raw: bytes, root: str) -> Reply | None:
        """Answer what is meant for a batch API; None where it is not. `root` is the address of the simulator."""
        parts = path.strip("/").split("/")
        with self._lock:
            if parts[-1] == "files" and method == "POST":
                return self._keep_file(raw)
            if len(parts) > 2 and parts[-1] == "content" and parts[-3] == "files":
                return self._content(parts[-2])
            for tail in (["messages", "batches"], ["batch", "jobs"], ["batches"]):
                at = next((n for n in range(len(parts)) if parts[n : n + len(tail)] == tail), None)
                if at is not None:
                    return self._jobs(method, tail, parts[at + len(tail) :], raw, root)
        return None

    def _keep_file(self, raw: bytes) -> Reply:
        """Take a file out of a form; the name of its part is not looked at."""
        mark, _, _ = raw.partition(b"\r\n")
        parts = [part.partition(b"\r\n\r\n")[2].removesuffix(b"\r\n") for part in raw.split(mark)[1:-1]]
        if not parts:
            return _refused(400, "a file must be sent as a form")
        self._shelf.count += 1
        name = f"file-sim-{self._shelf.count}"
        self._shelf.files[name] = max(parts, key=len)
        return json_reply(200, {"id": name, "object": "file", "purpose": "batch", "bytes": len(self._shelf.files[name])})

    def _content(self, name: str) -> Reply:
        data = self._shelf.files.get(name)
        if data is None:
            return _refused(404, f"there is no file {name}")
        return Reply(200, {"content-type": "application/jsonl"}, (Frame(data, Mark.BODY),))

    def _jobs(self, method: str, tail: list[str], rest: list[str], raw: bytes, root: str) -> Reply:
        form = {"messages": "anthropic", "batch": "mistral"}.get(tail[0], "")
        if not rest and method == "POST":
            return self._create(form, raw, root)
        if not rest:
            listed = [job for job in self._shelf.jobs.values() if not form or job.form == form]
            return json_reply(200, {"data": [self._shown(job, root) for job in reversed(listed)], "has_more": False})
        job = self._shelf.jobs.get(rest[0])
        if job is None:
            return _refused(404, f"there is no job {rest[0]}")
        if rest[1:] == ["cancel"] and method == "POST":
            job.is_cancelled = job.is_cancelled or job.rows is None
        elif rest[1:] == ["results"]:
            rows = b"".join(_dumped(_FORMS[job.form].row(row)) for row in reversed(job.rows or []))
            return Reply(200, {"content-type": "application/x-jsonl"}, (Frame(rows, Mark.BODY),))
        return json_reply(200, self._shown(job, root))

    def _create(self, form: str, raw: bytes, root: str) -> Reply:
        try:
            body = json.loads(raw)
        except ValueError:
            body = None
        if not isinstance(body, dict):
            return _refused(400, "the body must be a JSON object")
        form = form or ("openrouter" if "requests" in body else "openai")
        if form == "openrouter" and list(body)[:2] != ["endpoint", "model"]:
            return _refused(400, "endpoint and model must come before requests")
        requests = body.get("requests")
        if form == "openai":
            data = self._shelf.files.get(str(body.get("input_file_id")))
            requests = [json.loads(line) for line in (data or b"").splitlines() if line.strip()] if data is not None else None
        if not isinstance(requests, list) or not requests:
            return _refused(400, "there are no requests")
        self._shelf.count += 1
        day = self._scenario.default.batch_day if len(self._shelf.jobs) < self._scenario.default.batch_bad_jobs else ""
        job = SimulatedJob(
            f"batch_sim_{self._shelf.count}", form, requests, body.get("model"), body.get("metadata") or {},
            self._clock.now().timestamp(), self._clock.monotonic(), day,
        )  # fmt: skip
        self._shelf.jobs[job.id] = job
        reply = json_reply(200, self._shown(job, root))
        return replace(reply, broken_head=(0.0, Mark.CUT)) if day == "create_lost" else reply

    def _shown(self, job: SimulatedJob, root: str) -> dict[str, Any]:
        """Show a job, carried out where its time has come."""
        is_due = self._clock.monotonic() - job.made_s >= self._scenario.default.batch_s
        if job.rows is None and (is_due or job.is_cancelled):
            job.rows = [] if job.day == "late_validation" else self._carried_out(job)
            for name, kinds in (("output", ("answered",)), ("error", ("errored", "expired", "cancelled"))):
                rows = [_FORMS[job.form].row(row) for row in reversed(job.rows) if row["kind"] in kinds]
                self._shelf.files[f"file-{job.id}-{name}"] = b"".join(map(_dumped, rows))
        return _FORMS[job.form].shown(job, root)

    def _carried_out(self, job: SimulatedJob) -> list[dict[str, Any]]:
        """Answer the requests of a job, or not, as its day is."""
        wire = wire_for("/v1/messages" if job.form == "anthropic" else "/v1/chat/completions")
        assert wire is not None
        rows = []
        for number, request in enumerate(job.requests):
            kind = "answered"
            is_late = job.day == "half_expired" and (number % 2 or job.form == "openrouter")  # which keeps nothing of what expired
            if job.is_cancelled or is_late:
                kind = "cancelled" if job.is_cancelled else "expired"
            elif job.day == "errored_lines" and number % 3 == 1:
                kind = "errored"
            body = {"model": job.model, **(request.get("body") or request.get("params") or {})}
            if not (job.day == "results_missing" and number % 3 == 1):
                answer = _answer(wire, body, self._scenario.default, kind)
                rows.append({"custom_id": request.get("custom_id"), "kind": kind, "body": answer})
        return rows


def _answer(wire: SimulatedWire, body: Mapping[str, Any], behaviour: Behaviour, kind: str) -> Any:
    """Give the body of an answer, or of an error; None for a line that was not carried out."""
    if kind != "answered":
        return {"error": {"message": "your credit balance is too low", "type": "billing_error"}} if kind == "errored" else None
    try:
        return wire.whole(compose(wire.read(body), behaviour, call_id="sim-batch", cached_tokens=0))
    except UnreadableRequest as error:
        return {"error": {"message": str(error), "type": "invalid_request_error"}}


# --- the forms --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class JobForm:
    """How one maker shows jobs and results."""

    shown: Callable[[SimulatedJob, str], dict[str, Any]]
    row: Callable[[Mapping[str, Any]], dict[str, Any]]


def _state(job: SimulatedJob) -> str:
    """Name a job's state in OpenAI's words."""
    if job.rows is None:
        return "in_progress"
    if job.day == "late_validation":
        return "failed"
    return "cancelled" if job.is_cancelled else "expired" if job.day == "half_expired" else "completed"


def _openai(job: SimulatedJob, _: str) -> dict[str, Any]:
    state = _state(job)
    has_files = job.rows is not None and state != "failed"
    errors = {"data": [{"code": "invalid", "message": "the file cannot be used"}]} if state == "failed" else None
    return {
        "id": job.id, "object": "batch", "status": state, "errors": errors, "created_at": int(job.made_at), "metadata": job.metadata,
        "output_file_id": f"file-{job.id}-output" if has_files else None,
        "error_file_id": f"file-{job.id}-error" if has_files else None,
        "request_counts": {"total": len(job.requests), "completed": len(job.rows or ()), "failed": 0},
    }  # fmt: skip


def _openai_row(row: Mapping[str, Any]) -> dict[str, Any]:
    shown: dict[str, Any] = {"id": "r", "custom_id": row["custom_id"], "response": None, "error": None}
    if row["kind"] in ("answered", "errored"):
        shown["response"] = {"status_code": 200 if row["kind"] == "answered" else 402, "request_id": "sim", "body": row["body"]}
    else:
        shown["error"] = {"code": f"batch_{row['kind']}", "message": "This request could not be executed."}
    return shown


def _anthropic(job: SimulatedJob, root: str) -> dict[str, Any]:
    is_over = job.rows is not None
    counts = dict.fromkeys(("succeeded", "errored", "canceled", "expired"), 0) | {"processing": 0 if is_over else len(job.requests)}
    for row in job.rows or ():
        counts[_KINDS[row["kind"]]] += 1
    return {
        "id": job.id, "type": "message_batch", "processing_status": "ended" if is_over else "in_progress",
        "request_counts": counts, "created_at": datetime.fromtimestamp(job.made_at, UTC).isoformat(),
        "results_url": f"{root}/v1/messages/batches/{job.id}/results" if is_over else None,
    }  # fmt: skip


_KINDS = {"answered": "succeeded", "errored": "errored", "cancelled": "canceled", "expired": "expired"}


def _anthropic_row(row: Mapping[str, Any]) -> dict[str, Any]:
    result: dict[str, Any] = {"type": _KINDS[row["kind"]]}
    if row["kind"] == "answered":
        result["message"] = row["body"]
    elif row["kind"] == "errored":
        result["error"] = {"type": "error", **row["body"]}
    return {"custom_id": row["custom_id"], "result": result}


def _mistral(job: SimulatedJob, root: str) -> dict[str, Any]:
    states = {"in_progress": "RUNNING", "failed": "FAILED", "cancelled": "CANCELLED", "expired": "TIMEOUT_EXCEEDED", "completed": "SUCCESS"}
    shown = _openai(job, root)
    return {
        "id": job.id, "status": states[shown["status"]], "errors": (shown["errors"] or {}).get("data", []), "metadata": job.metadata,
        "created_at": int(job.made_at), "total_requests": len(job.requests),
        "output_file": shown["output_file_id"], "error_file": shown["error_file_id"],
    }  # fmt: skip


def _openrouter(job: SimulatedJob, root: str) -> dict[str, Any]:
    shown = _openai(job, root)
    rows = [_openai_row(row) for row in reversed(job.rows or [])] if shown["status"] == "completed" else None
    error = {"message": "the requests cannot be used"} if shown["status"] == "failed" else None
    members = ("id", "object", "status", "created_at", "request_counts")
    return {**{name: shown[name] for name in members}, "results": rows, "error": error}


_FORMS: Mapping[str, JobForm] = {
    "openai": JobForm(_openai, _openai_row),
    "anthropic": JobForm(_anthropic, _anthropic_row),
    "mistral": JobForm(_mistral, _openai_row),
    "openrouter": JobForm(_openrouter, _openai_row),
}


def _dumped(row: Mapping[str, Any]) -> bytes:
    return json.dumps(row).encode() + b"\n"


def _refused(status: int, message: str) -> Reply:
    return json_reply(status, {"error": {"message": message, "type": "invalid_request_error"}})
