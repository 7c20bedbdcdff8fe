"""A span for each completion, by OpenTelemetry's conventions for generative AI; nothing without the extra `deepsel[otel]` and an endpoint.

The usual `OTEL_*` variables say where spans go and what they bear. No text of a prompt or an answer is in one. The conventions:
https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-spans/ (read 2026-11-28).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from deepsel.errors import ConfigError
from deepsel.values import Answer

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer

Trace = Callable[[Mapping[str, str], str, Answer, int, str | None], None]
"""Takes the client's headers, the model it asked for, the answer, its beginning (nanoseconds since the epoch) and the error's kind."""

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")


def _no_trace(*_: object) -> None:
    """Trace nothing."""


@contextmanager
def tracing(env: Mapping[str, str]) -> Iterator[Trace]:
    """Give what traces completions within the context; at its end the last spans are sent. Raises ConfigError without the extra."""
    if not any(env.get(name) for name in _ENDPOINTS) or env.get("OTEL_SDK_DISABLED", "").lower() == "true":
        yield _no_trace
        return
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        named = next(name for name in _ENDPOINTS if env.get(name))
        raise ConfigError(f"`{named}` is set, and OpenTelemetry is not installed", "pip install 'deepsel[otel]'") from error
    provider = TracerProvider(resource=Resource.create({"service.name": env.get("OTEL_SERVICE_NAME") or "deepsel"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    tracer = provider.get_tracer("deepsel.serve")
    try:
        yield lambda *told: _trace(tracer, *told)
    finally:
        provider.shutdown()


def _trace(tracer: Tracer, headers: Mapping[str, str], asked: str, answer: Answer, began_ns: int, error: str | None) -> None:
    """Make one span that has ended, within the client's own trace where it names one."""
    from opentelemetry.trace import SpanKind, Status, StatusCode
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    context = TraceContextTextMapPropagator().extract(dict(headers))
    told = _attributes(asked, answer)
    span = tracer.start_span(f"chat {asked}", context=context, kind=SpanKind.CLIENT, start_time=began_ns, attributes=told)
    if error is not None:
        span.set_attribute("error.type", error)
        span.set_status(Status(StatusCode.ERROR))
    span.end()


def _attributes(asked: str, answer: Answer) -> dict[str, Any]:
    """Say of a completion what the conventions have names for, and what it cost; what is not known is left out."""
    usage = answer.usage
    known = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": answer.provider,
        "gen_ai.request.model": asked,
        "gen_ai.response.model": answer.answered_model or answer.model,
        "gen_ai.response.finish_reasons": [str(answer.finish)],
        "gen_ai.usage.input_tokens": usage.input_tokens,
        "gen_ai.usage.output_tokens": usage.output_tokens,
        "gen_ai.usage.cache_read.input_tokens": usage.cache_read,
        "deepsel.cache": answer.cache.status,
        "deepsel.attempts": sum(1 for one in answer.attempts if one.outcome != "skipped"),
        "deepsel.cost_usd": None if answer.cost_usd is None else float(answer.cost_usd),
    }
    return {name: value for name, value in known.items() if value is not None}
