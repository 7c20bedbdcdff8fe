"""Spans by OpenTelemetry's conventions reach a real collector, within the client's own trace, without a word of any text."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from deepsel.http1.server import Http1Server
from deepsel.serve import listening
from deepsel.serve.running import Address, serving
from deepsel.session.open import Session, choose_profile


def test_a_completion_is_a_span(simulate: Any, profiles: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """Operation, provider, models, usage and finish; the parent is the client's."""
    got: list[bytes] = []
    came = threading.Event()

    def collect(request: Any, out: Any) -> None:
        import gzip

        got.append(gzip.decompress(request.body) if request.headers.get("content-encoding") == "gzip" else request.body)
        out.whole(200, {"content-type": "application/x-protobuf"}, b"")
        came.set()

    listener = listening.on_port("127.0.0.1", 0)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{listener.getsockname()[1]}")
    path = profiles(one=simulate(text="Secret words."))
    env = dict(os.environ)
    with Http1Server(listener, collect, lambda status, message: ({}, message.encode())), Session.from_environment(env, path) as session:
        profile = choose_profile(session.settings, env)
        with serving(session, profile, session.settings.serve, Address("127.0.0.1", 0), lambda line: None) as url:
            body = {"model": "one", "messages": [{"role": "user", "content": "Hidden question"}]}
            parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
            assert httpx.post(f"{url}/v1/chat/completions", json=body, headers={"traceparent": parent}, timeout=30).status_code == 200
        assert came.wait(30)
    spans = [
        span
        for raw in got
        for resource in ExportTraceServiceRequest.FromString(raw).resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]
    assert [span.name for span in spans] == ["chat one"]
    told = {one.key: one.value for one in spans[0].attributes}
    assert told["gen_ai.provider.name"].string_value == "one-host"
    assert told["gen_ai.usage.output_tokens"].int_value > 0
    assert spans[0].trace_id.hex() == "0af7651916cd43dd8448eb211c80319c"
    assert not any(word in str(got) for word in ("Secret", "Hidden"))
