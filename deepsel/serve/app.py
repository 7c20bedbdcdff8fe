"""Answers the requests of clients: paths, errors in each wire's shape, one line of the access log each. Prints nothing."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from deepsel.clock import Clock
from deepsel.errors import DeepselError
from deepsel.http1.requests import HttpRequest
from deepsel.http1.responses import Outgoings
from deepsel.jsontext import loads
from deepsel.serve import listing
from deepsel.serve.access_log import AccessLine
from deepsel.serve.asking import JSON_TYPE, Passage
from deepsel.serve.completing import Completions, head_of, plan_header
from deepsel.serve.gate import Gate, Visitor
from deepsel.serve.gauges import gauges
from deepsel.serve.metrics import CONTENT_TYPE, Metrics
from deepsel.serve.names import NotAllowed, UnknownModel
from deepsel.serve.problems import problem_of
from deepsel.serve.surfaces.events import json_bytes
from deepsel.serve.surfaces.surface import BadMember, Labels, Problem, Surface
from deepsel.serve.surfaces.table import COUNTS, PATHS, counter_of, surface_for, surface_of
from deepsel.serve.tracing import Trace
from deepsel.values import Answer, JsonObject

_EMBEDDINGS = "/embeddings"


@dataclass(slots=True)
class App:
    """What is done with each request; safe to use from many threads."""

    completions: Completions
    gate: Gate
    clock: Clock
    log: Callable[[dict[str, Any]], None]
    """Takes each line of the access log."""
    trace: Trace
    metrics: Metrics = field(default_factory=Metrics)

    def handle(self, request: HttpRequest, out: Outgoings) -> None:
        """Answer one request; raises OSError where the client has left."""
        started_s = self.clock.monotonic()
        path = request.path.removeprefix("/v1") if request.path.startswith("/v1/") else request.path
        line = AccessLine(os.urandom(12).hex(), request.method, request.path)
        surface = surface_for(path, request.headers)
        try:
            self._answer(request, path, surface, out, line)
        except OSError:
            line.error = line.error or "client_left"
            raise
        except (BadMember, DeepselError) as error:
            self._tell(problem_of(error), surface, out, line)
        except UnknownModel as error:
            self._tell(Problem(404, "not_found", error.message, "model"), surface, out, line)
        except NotAllowed as error:
            self._tell(Problem(403, "permission", error.message, "model"), surface, out, line)
        finally:
            line.status, line.total_s = out.status, self.clock.monotonic() - started_s
            self._count(line, path)
            self.log(line.record(at=self.clock.now().isoformat(timespec="milliseconds"), sent_bytes=out.sent_bytes))

    def refuse(self, status: int, message: str) -> tuple[dict[str, str], bytes]:
        """Give the answer to what is no request, or one too many."""
        kind = {413: "too_large", 431: "too_large", 503: "overloaded"}.get(status, "invalid_request")
        problem = Problem(status, kind, message)  # type: ignore[arg-type]  # one of the kinds
        return {**JSON_TYPE, **_retry(problem)}, json_bytes(surface_of("/chat/completions").error(problem))

    # --- paths --------------------------------------------------------------------------------------------------------

    def _answer(self, request: HttpRequest, path: str, surface: Surface, out: Outgoings, line: AccessLine) -> None:
        """Let the client in, and do what the path is for."""
        visitor = self.gate.admit(request.headers)
        if isinstance(visitor, Problem):
            self._tell(visitor, surface, out, line)
            return
        line.client = visitor.name
        is_posted = path in PATHS or path in COUNTS or path == _EMBEDDINGS
        is_there = is_posted or path in ("/health", "/metrics", "/models") or path.startswith("/models/")
        if not is_there:
            self._tell(Problem(404, "not_found", f"there is no {request.method} {request.path[:200]} here"), surface, out, line)
        elif request.method not in (("POST",) if is_posted else ("GET", "HEAD")):
            wanted = "POST" if is_posted else "GET"
            self._tell(Problem(405, "invalid_request", f"{request.path[:200]} takes {wanted} alone"), surface, out, line)
        elif path in PATHS:
            self._complete(request, surface, visitor, out, line)
        elif path in COUNTS:
            self._tokens(request, path, visitor, out, line)
        elif path == _EMBEDDINGS:
            self._embed(request, visitor, out, line)
        elif path == "/health":
            self._send(out, line, {"status": "ok"})
        elif path == "/metrics":
            page = self.metrics.page(gauges(self.completions.session))
            out.whole(200, {"content-type": CONTENT_TYPE}, page)
        else:
            self._models(path, surface, out, line)

    def _models(self, path: str, surface: Surface, out: Outgoings, line: AccessLine) -> None:
        """List the models, or one of them."""
        settings, is_anthropic = self.completions.session.settings, surface is surface_of("/messages")
        name = path.removeprefix("/models").strip("/")
        row = listing.one(settings, name, is_anthropic=is_anthropic) if name else listing.page(settings, is_anthropic=is_anthropic)
        if row is None:
            raise UnknownModel(f"there is no model `{name[:200]}`")
        self._send(out, line, row)

    def _tokens(self, request: HttpRequest, path: str, visitor: Visitor, out: Outgoings, line: AccessLine) -> None:
        """Tell what a prompt comes to."""
        from deepsel.serve.counting import input_tokens

        count = counter_of(path)
        asked = count.read(_body(request), request.headers)
        profile = self.completions.profile_of(asked.model, request.headers, visitor)
        self._send(out, line, count.document(input_tokens(asked, profile, self.completions.session)))

    def _embed(self, request: HttpRequest, visitor: Visitor, out: Outgoings, line: AccessLine) -> None:
        """Pass embeddings on."""
        from deepsel.serve.embedding import embed

        body = _body(request)
        model = body.get("model")
        if not isinstance(model, str) or not model or model.startswith(("auto", "profile:")):
            raise BadMember("`model` must name a model: vectors of different ones cannot be compared", "model")
        came = embed(body, self.completions.profile_of(model, request.headers, visitor), self.completions.session)
        line.model, line.provider, line.cost_usd, line.attempts = came.model, came.provider, came.cost_usd, 1
        cost = {} if came.cost_usd is None else {"x-deepsel-cost-usd": format(came.cost_usd, "f")}
        head = {**JSON_TYPE, "x-request-id": line.id, "x-deepsel-model": came.model, "x-deepsel-provider": came.provider}
        out.whole(200, head | cost, came.body)

    def _complete(self, request: HttpRequest, surface: Surface, visitor: Visitor, out: Outgoings, line: AccessLine) -> None:
        """Carry out one completion."""
        began_s, began_ns = self.clock.monotonic(), round(self.clock.now().timestamp() * 1e9)
        asked = surface.read(_body(request), request.headers)
        run, conversation = self.completions.start(asked, request.headers, visitor)
        shows_plan = request.headers.get("x-deepsel-plan") == "1"

        def head(answer: Answer) -> Mapping[str, str]:
            return head_of(answer, line.id) | (plan_header(run) if shows_plan else {})

        def first() -> None:
            line.ttft_s = self.clock.monotonic() - began_s

        def answered(answer: Answer, find_id: Callable[[], str]) -> None:
            if conversation and self.completions.conversations.note(conversation, answer, find_id()):
                self.metrics.switch()

        labels = Labels(line.id, int(self.clock.now().timestamp()), "", 0, wants_usage=asked.wants_usage)
        passage = Passage(run, surface, out, labels, head, on_first=first, on_answer=answered)
        try:
            if asked.request.stream:
                passage.streamed()
            else:
                passage.whole()
        finally:
            answer = run.answer()
            line.note(answer)
            self.trace(request.headers, asked.model, answer, began_ns, passage.problem.kind if passage.problem else None)
        if passage.problem is not None:
            line.error = passage.problem.kind
            if out.status is None:
                self._tell(passage.problem, surface, out, line, head(answer))

    # --- writing ------------------------------------------------------------------------------------------------------

    def _send(self, out: Outgoings, line: AccessLine, value: JsonObject) -> None:
        out.whole(200, {**JSON_TYPE, "x-request-id": line.id}, json_bytes(value))

    def _tell(
        self, problem: Problem, surface: Surface, out: Outgoings, line: AccessLine, headers: Mapping[str, str] | None = None
    ) -> None:
        """Tell a client what went wrong."""
        line.error = problem.kind
        head = {**JSON_TYPE, "x-request-id": line.id, **(headers or {}), **_retry(problem)}
        out.whole(problem.status, head, json_bytes(surface.error(problem)))

    def _count(self, line: AccessLine, path: str) -> None:
        """Count a request for the metrics."""
        known = path in PATHS or path in COUNTS or path in (_EMBEDDINGS, "/models", "/health", "/metrics")
        self.metrics.request(path if known else "other", line.status, line.client)
        if line.answer is not None:
            self.metrics.answer(line.answer, line.ttft_s)


def _body(request: HttpRequest) -> JsonObject:
    """Read the body; raises BadMember where it is no JSON object."""
    try:
        value = loads(request.body)
    except ValueError as error:
        raise BadMember(f"the body is not valid JSON: {error}") from error
    if not isinstance(value, dict):
        raise BadMember("the body must be a JSON object")
    return value


def _retry(problem: Problem) -> dict[str, str]:
    """Tell SDKs whether to ask again, as those of OpenAI and Anthropic read it."""
    found = {"x-should-retry": "true" if problem.should_retry else "false"}
    if problem.retry_after_s is not None:
        found["retry-after"] = str(max(1, round(problem.retry_after_s)))
    return found
