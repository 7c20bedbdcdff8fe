"""From one parsed HTTP request to one delivered response: paths, bodies, turns and records; knows no thread."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import asdict, replace
from socket import socket
from typing import Any
from urllib.parse import unquote

import deepsel.simulator.wires.anthropic_messages as anthropic_messages
import deepsel.simulator.wires.openai_chat as openai_chat
import deepsel.simulator.wires.openai_responses as openai_responses
from deepsel.clock import Clock
from deepsel.http1.requests import HttpRequest
from deepsel.simulator.answers.errors_table import ERRORS, ErrorRow
from deepsel.simulator.answers.reply import LimitHeaders, ReadRequest, Reply, UnreadableRequest
from deepsel.simulator.answers.tokens import count
from deepsel.simulator.batches import Batches
from deepsel.simulator.faults.table import planned
from deepsel.simulator.http.delivery import Delivery
from deepsel.simulator.records import Ledger, Stamps
from deepsel.simulator.replies import Scene, error_reply, json_reply, stalled
from deepsel.simulator.scenario import Behaviour, Scenario
from deepsel.simulator.traffic import Traffic, TrafficTurn
from deepsel.simulator.wires.table import SimulatedWire, wire_for

RECORDS_PATH = "/_simulator/records"
_COUNTS: Mapping[str, tuple[SimulatedWire, str]] = {
    "/messages/count_tokens": (anthropic_messages, ""),
    "/responses/input_tokens": (openai_responses, "response.input_tokens"),
}
"""By path: the wire whose requests are counted there, and what the answer calls itself."""
_EMBEDDINGS_PATH = "/embeddings"
_PATHS = (*_COUNTS, _EMBEDDINGS_PATH, "/models", "/health")
_OTHER_MODELS = "/models/"
DEFAULT_MODEL = "simulated-1"


class Answering:
    """Answers requests by a scenario; safe to use from any thread."""

    def __init__(self, scenario: Scenario, ledger: Ledger, *, clock: Clock, stopping: threading.Event) -> None:
        self.scenario = scenario
        self.traffic = Traffic(scenario)
        self.batches = Batches(scenario, clock)
        self._ledger = ledger
        self._clock = clock
        self._stopping = stopping

    def answer(self, connection: socket, request: HttpRequest) -> bool:
        """Answer one request that was just read; say whether the connection can take another."""
        read_s = self._clock.monotonic()
        body = _parsed(request.body)
        path = request.path.rstrip("/")
        if path != RECORDS_PATH:
            self._ledger.add_call(
                request.method, request.path, request.headers, body=body, size_bytes=len(request.body)
            )
        wire = wire_for(path)
        if wire is not None and request.method == "POST":
            return self._converse(connection, request, wire=wire, body=body, read_s=read_s)
        stamps = Stamps("", "", stream=False, fault=None, was_cold=False, request_read_s=read_s)
        delivery = Delivery(connection, self._clock, self._stopping, read_s, stamps)
        root = f"http://{request.headers.get('host', '127.0.0.1')}"
        reply = self.batches.reply(request.method, path, request.body, root) or self._small(request.method, path, body)
        return delivery.send(reply, keeps_alive=request.keeps_alive)

    def _converse(self, connection: socket, request: HttpRequest, *, wire: SimulatedWire, body: Any, read_s: float) -> bool:
        """Answer a prompt."""
        request_id = self._ledger.next_id()
        ask, refusal = self._ask(wire, body)
        model = ask.model if ask else ""
        turn = self.traffic.enter(model, read_s)
        fault = turn.fault if refusal is None and turn.refused_wait_s is None else None
        stamps = Stamps(request_id, model, bool(ask and ask.stream), fault, turn.cold_s > 0, read_s)
        self._ledger.add_stamps(stamps)
        leave = _Once(self.traffic, model, self._clock, is_due=turn.refused_wait_s is None)
        try:
            refusal = refusal or (_not_taken(ask, body, turn.behaviour) if ask else None)
            reply = self._planned(wire, ask, turn, request_id=request_id, fault=fault, refusal=refusal)
            delivery = Delivery(connection, self._clock, self._stopping, read_s, stamps, leave.now)
            return delivery.send(reply, keeps_alive=request.keeps_alive)
        finally:
            leave.now()

    def _ask(self, wire: SimulatedWire, body: Any) -> tuple[ReadRequest | None, ErrorRow | None]:
        """Read the body; give the refusal in place of what cannot be read or asks for a model that is not there."""
        if not isinstance(body, dict):
            return None, _refusal("400", "the body must be a JSON object")
        try:
            ask = wire.read(body)
        except UnreadableRequest as error:
            return None, _refusal("400", str(error))
        if not self.scenario.knows(ask.model):
            return ask, _refusal("404", f"the model `{ask.model}` does not exist in this simulation")
        return ask, None

    def _planned(
        self,
        wire: SimulatedWire,
        ask: ReadRequest | None,
        turn: TrafficTurn,
        *,
        request_id: str,
        fault: str | None,
        refusal: ErrorRow | None,
    ) -> Reply:
        """Plan the response: a limit's or the request's own refusal, else the scenario's answer."""
        behaviour = turn.behaviour
        scene = Scene(
            wire=wire,
            ask=ask or _NO_ASK,
            behaviour=behaviour,
            request_id=request_id,
            now=self._clock.now(),
            cold_s=turn.cold_s,
            headers=self._limit_headers(wire, turn),
        )
        if turn.refused_wait_s is not None:
            reply = error_reply(scene, ERRORS["429"], turn.refused_wait_s)
        elif refusal:
            reply = error_reply(scene, refusal, 0.0)
        else:
            cached = self.traffic.cached_tokens(scene.ask.model, scene.ask.prompt) if behaviour.cached_prefix else 0
            reply = stalled(planned(scene, fault, cached), behaviour, turn.since_first_s)
        if behaviour.headers:
            reply = _with_headers(reply, behaviour)
        return reply

    def _limit_headers(self, wire: SimulatedWire, turn: TrafficTurn) -> dict[str, str]:
        """Say what is left of the limit, where there is one."""
        limit = turn.behaviour.limit_requests
        if limit is None or turn.remaining is None:
            return {}
        return wire.limit_headers(LimitHeaders(limit, turn.remaining, turn.reset_s, self._clock.now()))

    def _small(self, method: str, path: str, body: Any) -> Reply:
        """Answer everything that is no prompt."""
        if method == "POST" and path.endswith((*_COUNTS, _EMBEDDINGS_PATH)):
            return self._counted_or_embedded(path, body)
        if method in ("GET", "HEAD"):
            found: Reply | None = None
            if path.endswith("/models"):
                found = json_reply(200, self._models())
            elif _OTHER_MODELS in path:
                found = self._model(unquote(path.partition(_OTHER_MODELS)[2]))
            elif path.endswith("/health"):
                found = json_reply(200, {"status": "ok", "simulated": True})
            elif path == RECORDS_PATH:
                found = json_reply(200, {"records": [asdict(record) for record in self._ledger.records()]})
            if found:
                return _headless(found) if method == "HEAD" else found
        known = wire_for(path) or path.endswith(_PATHS) or _OTHER_MODELS in path
        status, text = (405, "this path takes another method") if known else (404, "the simulator has no such path")
        return json_reply(status, {"error": {"message": text, "type": "invalid_request_error", "code": None}})

    def _counted_or_embedded(self, path: str, body: Any) -> Reply:
        """Count a prompt's tokens, or make vectors of texts, without the scenario."""
        wire, kind = next((row for end, row in _COUNTS.items() if path.endswith(end)), (openai_chat, ""))
        try:
            if not isinstance(body, dict):
                raise UnreadableRequest("the body must be a JSON object")
            if path.endswith(_EMBEDDINGS_PATH):
                from deepsel.simulator.answers.embeddings import embedded  # hardly anybody asks for one

                return json_reply(200, embedded(body))
            # A count asks for no answer, so that nothing has to bound it; a Responses count may also ask about nothing at all.
            read = anthropic_messages.read_prompt if wire is anthropic_messages else wire.read
            ask = read({"input": "", "model": DEFAULT_MODEL, **body} if kind else body)
        except UnreadableRequest as error:
            row = _refusal("400", str(error))
            return json_reply(400, wire.error_body(row, self._ledger.next_id()))
        return json_reply(200, {**({"object": kind} if kind else {}), "input_tokens": count(ask.prompt)})

    def _models(self) -> dict[str, Any]:
        """List the ids the scenario names in full, in members of all wires."""
        named = dict.fromkeys((*self.scenario.known_models, *self.scenario.models))
        ids = [name for name in named if not set(name) & set("*?[")] or [DEFAULT_MODEL]
        rows = [_model_row(name) for name in ids]
        return {"object": "list", "data": rows, "has_more": False, "first_id": ids[0], "last_id": ids[-1]}

    def _model(self, name: str) -> Reply:
        """Describe one model; refuse one that is not there, in members of all wires."""
        if self.scenario.knows(name):
            return json_reply(200, _model_row(name))
        row = _refusal("404", f"the model `{name}` does not exist in this simulation")
        error = {**openai_chat.error_body(row, "")["error"], "type": row.anthropic_type}
        return json_reply(404, {"type": "error", "error": error})


def _model_row(name: str) -> dict[str, Any]:
    """Give the members of one model in the lists of all wires."""
    own = {"created": 0, "owned_by": "deepsel-simulator", "display_name": name, "created_at": "1970-01-01T00:00:00Z", "lifecycle": "active"}
    return {"id": name, "object": "model", "type": "model", **own}


class _Once:
    """Gives a turn back, once: before the last bytes, or when the answer breaks off."""

    def __init__(self, traffic: Traffic, model: str, clock: Clock, *, is_due: bool) -> None:
        self._traffic, self._model, self._clock = traffic, model, clock
        self._is_due = is_due

    def now(self) -> None:
        """Give it back if that is still due."""
        if self._is_due:
            self._is_due = False
            self._traffic.leave(self._model, self._clock.monotonic())


_NO_ASK = ReadRequest("", "", "", stream=False, max_tokens=None, include_usage=False)


def _parsed(body: bytes) -> Any:
    """Parse JSON; None where it is none."""
    try:
        return json.loads(body) if body else None
    except (ValueError, RecursionError):
        return None


def _refusal(name: str, message: str) -> ErrorRow:
    """Give an error of the table with its own words."""
    return replace(ERRORS[name], message=message)


def _not_taken(ask: ReadRequest, body: Mapping[str, Any], behaviour: Behaviour) -> ErrorRow | None:
    """Give the refusal of a member the model does not take, or of what is larger than its window; None where it takes it all."""
    member = next((name for name in behaviour.refused_members if name in body), None)
    if member is not None:
        other = {"max_tokens": " Use 'max_completion_tokens' instead."}.get(member, "")
        words = f"Unsupported parameter: '{member}' is not supported with this model.{other}"
        return replace(ERRORS["400"], message=words, openai_code="unsupported_parameter")
    window = behaviour.context_window
    if window is None:
        return None
    asked, used = ask.max_tokens or 0, count(ask.prompt)
    if used + asked <= window:
        return None
    if used >= window:
        return ERRORS["400_context"]
    return _refusal(
        "400_context",
        f"'max_tokens' or 'max_completion_tokens' is too large: {asked}. This model's maximum context length is {window} tokens "
        f"and your request has {used} input tokens ({asked} > {window} - {used}).",
    )


def _with_headers(reply: Reply, behaviour: Behaviour) -> Reply:
    """Add the scenario's own headers."""
    return replace(reply, headers={**reply.headers, **{name.lower(): text for name, text in behaviour.headers.items()}})


def _headless(reply: Reply) -> Reply:
    """Keep the head of a response alone."""
    size = sum(len(frame.data) for frame in reply.frames)
    return replace(reply, frames=(), declared_bytes=size)
