"""Answers the requests of clients: paths, errors in each wire's shape, one line of the access log each. Prints nothing."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from deepsel.clock import Clock
from deepsel.config import Profile
from deepsel.dollars import read_usd
from deepsel.engine.ask import Ask, CacheMode
from deepsel.errors import DeepselError
from deepsel.http1.requests import HttpRequest
from deepsel.http1.responses import Outgoings
from deepsel.jsontext import loads
from deepsel.serve import listing
from deepsel.serve.asking import JSON_TYPE, Passage
from deepsel.serve.gate import Gate, Visitor
from deepsel.serve.names import NotAllowed, UnknownModel, named_profile, profile_for
from deepsel.serve.problems import problem_of
from deepsel.serve.surfaces.events import json_bytes
from deepsel.serve.surfaces.surface import Asked, BadMember, Labels, Problem, Surface
from deepsel.serve.surfaces.table import PATHS, surface_for, surface_of
from deepsel.session.open import Session
from deepsel.values import TASKS, Answer, JsonObject

USUAL_MAX_TOKENS = 32_768
"""The longest answer where neither the client nor the profile names one; a model's own bound and window are less, mostly."""
_CACHE_MODES: Mapping[str, CacheMode] = {"no-store": "off", "no-cache": "refresh", "only-if-cached": "only"}


@dataclass(slots=True)
class AccessLine:
    """What the access log says of one request; no text, no key."""

    id: str
    method: str
    path: str
    client: str = ""
    status: int | None = None
    model: str | None = None
    provider: str | None = None
    cache: str | None = None
    attempts: int = 0
    cost_usd: Decimal | None = None
    ttft_s: float | None = None
    error: str | None = None
    answer: Answer | None = field(default=None, repr=False)
    """For the metrics."""


@dataclass(slots=True)
class App:
    """What is done with each request; safe to use from many threads."""

    session: Session
    profile: Profile
    """Of a client that names none."""
    gate: Gate
    clock: Clock
    log: Callable[[dict[str, Any]], None]
    """Takes each line of the access log."""

    def handle(self, request: HttpRequest, out: Outgoings) -> None:
        """Answer one request; raises OSError where the client has left."""
        started_s = self.clock.monotonic()
        path = request.path.removeprefix("/v1") if request.path.startswith("/v1/") else request.path
        line = AccessLine(os.urandom(12).hex(), request.method, request.path)
        try:
            self._answer(request, path, out, line, started_s)
        except OSError:
            line.error = line.error or "client_left"
            raise
        finally:
            line.status = out.status
            self.log(self._logged(line, out, started_s))

    def refuse(self, status: int, message: str) -> tuple[dict[str, str], bytes]:
        """Give the answer to what is no request, or one too many."""
        kind = {413: "too_large", 431: "too_large", 503: "overloaded"}.get(status, "invalid_request")
        problem = Problem(status, kind, message)  # type: ignore[arg-type]  # one of the kinds
        return {**JSON_TYPE, **_retry(problem)}, json_bytes(surface_of("/chat/completions").error(problem))

    # --- paths --------------------------------------------------------------------------------------------------------

    def _answer(self, request: HttpRequest, path: str, out: Outgoings, line: AccessLine, started_s: float) -> None:
        """Let the client in, and do what the path is for."""
        surface = surface_for(path, request.headers)
        visitor = self.gate.admit(request.headers)
        if isinstance(visitor, Problem):
            self._tell(visitor, surface, out, line)
            return
        line.client = visitor.name
        if path in PATHS:
            if request.method != "POST":
                self._tell(Problem(405, "invalid_request", f"{request.path} takes POST alone"), surface, out, line)
                return
            self._complete(request, surface, visitor, out, line, started_s)
        elif request.method in ("GET", "HEAD") and path == "/health":
            self._send(out, line, {"status": "ok"})
        elif request.method in ("GET", "HEAD") and (path == "/models" or path.startswith("/models/")):
            self._models(path, surface, out, line)
        else:
            self._tell(Problem(404, "not_found", f"there is no {request.method} {request.path[:200]} here"), surface, out, line)

    def _models(self, path: str, surface: Surface, out: Outgoings, line: AccessLine) -> None:
        """List the models, or one of them."""
        is_anthropic = surface is surface_of("/messages")
        name = path.removeprefix("/models").strip("/")
        if not name:
            self._send(out, line, listing.page(self.session.settings, is_anthropic=is_anthropic))
            return
        row = listing.one(self.session.settings, name, is_anthropic=is_anthropic)
        if row is None:
            self._tell(Problem(404, "not_found", f"there is no model `{name[:200]}`"), surface, out, line)
        else:
            self._send(out, line, row)

    # --- completions --------------------------------------------------------------------------------------------------

    def _complete(
        self, request: HttpRequest, surface: Surface, visitor: Visitor, out: Outgoings, line: AccessLine, started_s: float
    ) -> None:
        """Carry out one completion."""
        try:
            asked = surface.read(_body(request), request.headers)
            ask = self._ask(asked, request.headers, visitor)
            run = self.session.ask(ask, is_shown=asked.request.stream)
        except (BadMember, DeepselError) as error:
            self._tell(problem_of(error), surface, out, line)
            return
        except UnknownModel as error:
            self._tell(Problem(404, "not_found", error.message, "model"), surface, out, line)
            return
        except NotAllowed as error:
            self._tell(Problem(403, "permission", error.message, "model"), surface, out, line)
            return

        def head(answer: Answer) -> Mapping[str, str]:
            return _head_of(answer, line.id)

        def first() -> None:
            line.ttft_s = self.clock.monotonic() - started_s

        labels = Labels(line.id, int(self.clock.now().timestamp()), "", 0, wants_usage=asked.wants_usage)
        exchange = Passage(run, surface, out, labels, head, on_first=first)
        try:
            answer = exchange.streamed() if asked.request.stream else exchange.whole()
        finally:
            _note(line, run.answer())
        if exchange.problem is not None:
            line.error = exchange.problem.kind
            if out.status is None:
                self._tell(exchange.problem, surface, out, line, _head_of(answer, line.id))

    def _ask(self, asked: Asked, headers: Mapping[str, str], visitor: Visitor) -> Ask:
        """Put a request together with how it is carried out; raises BadMember, UnknownModel, NotAllowed."""
        settings = self.session.settings
        profile = settings.profiles[visitor.profile] if visitor.profile is not None else self.profile
        if name := headers.get("x-deepsel-profile"):
            profile = named_profile(name, settings, visitor)
        profile = profile_for(asked.model, profile, settings, visitor)
        if (cap := headers.get("x-deepsel-max-cost")) is not None:
            amount = read_usd(cap, is_exact=True)
            if amount is None:
                raise BadMember(f"the header `x-deepsel-max-cost` holds no amount of USD: `{cap[:40]}`")
            profile = profile.override(max_cost_usd=amount if profile.max_cost_usd is None else min(amount, profile.max_cost_usd))
        task = headers.get("x-deepsel-task")
        if task is not None and task not in TASKS:
            raise BadMember(f"the header `x-deepsel-task` takes {', '.join(TASKS)}")
        request = asked.request
        if request.max_tokens is None and "max_tokens" not in profile.sources:
            request = request._replace(max_tokens=USUAL_MAX_TOKENS)
        return Ask(request, asked.instruction, profile, task=task, cache_mode=_cache_mode(asked, headers), needs_difficulty=False)

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

    def _logged(self, line: AccessLine, out: Outgoings, started_s: float) -> dict[str, Any]:
        """Make the line of the access log."""
        return {
            "at": self.clock.now().isoformat(timespec="milliseconds"),
            "id": line.id,
            "client": line.client or None,
            "method": line.method,
            "path": line.path[:200],
            "status": line.status,
            "model": line.model,
            "provider": line.provider,
            "cache": line.cache,
            "attempts": line.attempts,
            "cost_usd": line.cost_usd,
            "ttft_s": None if line.ttft_s is None else round(line.ttft_s, 4),
            "total_s": round(self.clock.monotonic() - started_s, 4),
            "sent_bytes": out.sent_bytes,
            "error": line.error,
        }


def _body(request: HttpRequest) -> JsonObject:
    """Read the body; raises BadMember where it is no JSON object."""
    try:
        value = loads(request.body)
    except ValueError as error:
        raise BadMember(f"the body is not valid JSON: {error}") from error
    if not isinstance(value, dict):
        raise BadMember("the body must be a JSON object")
    return value


def _cache_mode(asked: Asked, headers: Mapping[str, str]) -> CacheMode:
    """Read what the client wishes of the cache; what only one wire can say is never answered from it, nor kept."""
    given = asked.request.given
    if given is not None and given.only:
        return "off"
    words = {one.strip().lower().partition("=")[0] for one in headers.get("cache-control", "").split(",")}
    return next((mode for word, mode in _CACHE_MODES.items() if word in words), "auto")


def _head_of(answer: Answer, request_id: str) -> dict[str, str]:
    """Give what the head of an answer says."""
    calls = sum(1 for one in answer.attempts if one.outcome != "skipped")
    return {
        "x-request-id": request_id,
        "x-deepsel-model": answer.model,
        "x-deepsel-provider": answer.provider,
        "x-deepsel-cache": answer.cache.status,
        "x-deepsel-attempts": str(calls),
    }


def _retry(problem: Problem) -> dict[str, str]:
    """Tell SDKs whether to ask again, as those of OpenAI and Anthropic read it."""
    found = {"x-should-retry": "true" if problem.should_retry else "false"}
    if problem.retry_after_s is not None:
        found["retry-after"] = str(max(1, round(problem.retry_after_s)))
    return found


def _note(line: AccessLine, answer: Answer) -> None:
    """Note an answer for the log."""
    line.answer = answer
    line.model, line.provider, line.cache = answer.model, answer.provider, answer.cache.status
    line.attempts = sum(1 for one in answer.attempts if one.outcome != "skipped")
    line.cost_usd = answer.cost_usd
