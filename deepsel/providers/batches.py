"""Talks to a provider's batch API: makes a job, asks after it, reads its results line by line; retries only what changes nothing there."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from deepsel.clock import Clock
from deepsel.errors import AttemptFailed, ErrorClass
from deepsel.jsontext import loads
from deepsel.providers.calls import Call, Response, Timeouts, Transport
from deepsel.providers.hosts import host_of
from deepsel.secret import Secret
from deepsel.values import JsonObject, Provider
from deepsel.wires import bodies, error_shapes, failures
from deepsel.wires.batches.records import BatchApi, JobOrder, ProviderJob, RowOutcome, jobs_in
from deepsel.wires.fields import load_leading_object
from deepsel.wires.table import wire_of

_TIMEOUT_S = 600.0
_TURNS = 4
_FIRST_PAUSE_S = 1.0
_LISTED = 100
_MAX_ROW_BYTES = 64 << 20


class BatchClient:
    """One provider's batch API."""

    def __init__(self, api: BatchApi, provider: Provider, key: Secret | None, transport: Transport, clock: Clock) -> None:
        """Send nothing yet; `provider` is where it is really reached."""
        self._api, self._provider, self._key = api, provider, key
        self._transport, self._clock = transport, clock

    def upload(self, lines: Sequence[bytes], name: str) -> str:
        """Upload lines as a file for a job; returns its id. Raises AttemptFailed."""
        mark = os.urandom(16).hex()
        head = (
            f'--{mark}\r\ncontent-disposition: form-data; name="purpose"\r\n\r\nbatch\r\n'
            f'--{mark}\r\ncontent-disposition: form-data; name="file"; filename="{name}.jsonl"\r\n'
            "content-type: application/jsonl\r\n\r\n"
        )
        body = b"".join([head.encode(), *lines, f"\r\n--{mark}--\r\n".encode()])
        found = self._said("POST", "/files", body, kind=f"multipart/form-data; boundary={mark}")
        file_id = found.get("id")
        if not isinstance(file_id, str) or not file_id:
            raise AttemptFailed(ErrorClass.MALFORMED, "the upload was answered without an id")
        return file_id

    def create(self, order: JobOrder) -> ProviderJob:
        """Make a job; asked once, since a second time would make another. Raises AttemptFailed."""
        return self._job(self._said("POST", self._api.JOBS, bodies.serialise(self._api.create(order))))

    def find(self, order: JobOrder, *, lines: int, since: float) -> ProviderJob | None:
        """Find a job whose making was not answered: by our tag, else by its time and its number of lines. Raises AttemptFailed."""
        for one in jobs_in(self._api, self._again("GET", f"{self._api.JOBS}?limit={_LISTED}")):
            if self._api.HAS_TAG:
                if one.tag == order.tag:
                    return one
            elif one.lines in (None, lines) and one.created_at is not None and one.created_at >= since - 5:
                return one
        return None

    def look(self, job_id: str) -> ProviderJob:
        """Ask after a job; raises AttemptFailed."""
        return self._job(self._again("GET", f"{self._api.JOBS}/{job_id}"))

    def outcomes(self, job: ProviderJob) -> Iterator[RowOutcome]:
        """Yield what became of the lines of a job that has ended, in any order; raises AttemptFailed."""
        for row in job.rows:
            if (found := self._api.outcome(row)) is not None:
                yield found
        for name in job.files:
            for raw in self._lines(self._api.results_path(name)):
                found = self._read(raw)
                if found is not None:
                    yield found

    def _read(self, raw: bytes) -> RowOutcome | None:
        try:
            row = loads(raw)
        except ValueError:
            return None
        return self._api.outcome(row) if isinstance(row, dict) else None

    def _job(self, document: JsonObject) -> ProviderJob:
        try:
            return self._api.job(document)
        except ValueError as error:
            raise AttemptFailed(ErrorClass.MALFORMED, f"{self._provider.name}: {error}") from error

    # --- calls ----------------------------------------------------------------------------------------------------------

    def _again(self, method: str, path: str) -> JsonObject:
        """Send what may be sent again until it is answered, a few times."""
        pause_s = _FIRST_PAUSE_S
        for turn in range(1, _TURNS + 1):
            try:
                return self._said(method, path)
            except AttemptFailed as error:
                if turn == _TURNS or not error.error_class.is_retryable:
                    raise
                self._clock.sleep(min(error.retry_after_s or pause_s, 60.0))
                pause_s *= 2
        raise AssertionError

    def _said(self, method: str, path: str, body: bytes = b"", kind: str = "application/json") -> JsonObject:
        with self._opened(method, path, body, kind) as response:
            return load_leading_object(b"".join(response.iter_bytes()))

    def _lines(self, path: str) -> Iterator[bytes]:
        """Yield the lines of a file as they come."""
        rest = b""
        with self._opened("GET", path) as response:
            for chunk in response.iter_bytes():
                *whole, rest = (rest + chunk).split(b"\n")
                yield from whole
                if len(rest) > _MAX_ROW_BYTES:
                    raise AttemptFailed(ErrorClass.MALFORMED, "a line of the results is too large")
        if rest.strip():
            yield rest

    @contextmanager
    def _opened(self, method: str, path: str, body: bytes = b"", kind: str = "application/json") -> Iterator[Response]:
        headers = {**wire_of(self._provider.wire).headers(self._provider, self._key), "accept": "application/json"}
        headers["content-type"] = kind
        call = Call(method, self._url(path), headers, body, may_repeat=method != "POST")
        timeouts = Timeouts(first_token_s=None, progress_s=None, idle_s=None, deadline=self._clock.monotonic() + _TIMEOUT_S)
        with self._transport.open(call, timeouts=timeouts) as response:
            if not 200 <= response.status < 300:
                reader = failures.FailureReader(self._provider, response.secrets, response.headers, self._clock.now())
                raise reader.failure(response.read_start(error_shapes.MAX_ERROR_BYTES), status=response.status)
            yield response

    def _url(self, path: str) -> str:
        """Return an address of the API; a whole one only where it leads to the same host, since the key travels there."""
        base = self._provider.base_url.rstrip("/")
        if path.startswith(("http://", "https://")):
            if host_of(path) != host_of(base) or path.split(":")[0] != base.split(":")[0]:
                raise AttemptFailed(ErrorClass.MALFORMED, "the results are said to be at another host, which is sent no key")
            return path
        root = wire_of(self._provider.wire).url(self._provider)
        for tail in ("/chat/completions", "/messages"):
            root = root.removesuffix(tail)
        return bodies.with_query(root + path, self._provider)
