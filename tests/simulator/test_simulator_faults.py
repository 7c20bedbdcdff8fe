"""Every fault of the table over real sockets, as a client sees its bytes."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from raw_client import PATHS, Ask, Raw, connect, is_empty, prompt, read_to_end, request_bytes, split_response

from deepsel.simulator import FAULTS, Simulator
from deepsel.simulator.answers.errors_table import ERRORS

WIRES = tuple(PATHS)[:2]
BOTH = [(wire, stream) for wire in WIRES for stream in (False, True)]
SMALL = 5000
HANGS = tuple(name for name in FAULTS if name.startswith("hang_"))


def finishes(raw: Raw) -> list[str]:
    """Give the finish values a stream named."""
    events = [event for event in raw.events if isinstance(event, dict)]
    found = [choice["finish_reason"] for event in events for choice in event.get("choices", [])]
    found += [event["delta"]["stop_reason"] for event in events if event.get("type") == "message_delta"]
    return [value for value in found if value]


def has_end(raw: Raw) -> bool:
    """Say whether the wire's end marker came."""
    kinds = [event.get("type") if isinstance(event, dict) else event for event in raw.events]
    return "[DONE]" in kinds or "message_stop" in kinds


def is_json(data: bytes) -> bool:
    try:
        json.loads(data)
    except ValueError:
        return False
    return True


def finish_of(raw: Raw) -> str | None:
    """Give the finish value of a body that is not streamed."""
    body = raw.json
    return body["choices"][0]["finish_reason"] if "choices" in body else body["stop_reason"]


LENGTHS = ("length", "max_tokens")
Check = Callable[[Raw, bool], Any]
EXPECTED: dict[str, Check] = {
    "disconnect_at_accept": lambda raw, stream: raw.head == b"",
    "disconnect_before_headers": lambda raw, stream: raw.head == b"",
    "disconnect_in_headers": lambda raw, stream: raw.head.startswith(b"HTTP/1.1 200 OK") and not raw.is_whole,
    "disconnect_before_first_token": lambda raw, stream: (
        not raw.is_whole and (raw.text == "" and raw.events if stream else raw.body == b"")
    ),
    "cut_mid_event": lambda raw, stream: (
        not raw.is_whole and not raw.was_reset and (not raw.body.endswith(b"\n\n") if stream else not is_json(raw.body))
    ),
    "cut_before_end": lambda raw, stream: (
        not raw.is_whole and (raw.text and not finishes(raw) and not has_end(raw) if stream else not is_json(raw.body))
    ),
    "reset_mid_event": lambda raw, stream: raw.was_reset and not raw.is_whole,
    "close_after_answer": lambda raw, stream: raw.is_whole and raw.text,
    "clean_end_without_finish": lambda raw, stream: (
        raw.is_whole and raw.text and (not finishes(raw) and not has_end(raw) if stream else finish_of(raw) is None)
    ),
    "done_without_finish": lambda raw, stream: (
        raw.is_whole and (not finishes(raw) and has_end(raw) if stream else finish_of(raw) is None)
    ),
    "finish_without_done": lambda raw, stream: (
        raw.is_whole and (finishes(raw) and not has_end(raw) if stream else finish_of(raw))
    ),
    "role_chunk_only": lambda raw, stream: (
        raw.is_whole and raw.text == "" and (not stream or (has_end(raw) and not finishes(raw)))
    ),
    "trailing_text_after_done": lambda raw, stream: (
        raw.text.endswith("after the end.") and not raw.body.endswith((b"[DONE]\n\n", b'stop"}\n\n'))
        if stream
        else raw.body.endswith(b"after the end.")
    ),
    "keep_alive_comments": lambda raw, stream: (
        raw.body.count(b": keep-alive\n\n") + raw.body.count(b"event: ping") >= 3
        if stream
        else raw.body.startswith(b"\n\n\n{")
    ),
    "blank_lines": lambda raw, stream: b"\n\n\n\n\n" in raw.body if stream else raw.body.startswith(b"\n\n\n{"),
    "empty_deltas": lambda raw, stream: (
        raw.text.endswith("takes.") and (len([one for one in raw.deltas if is_empty(one)]) >= 6 if stream else finish_of(raw))
    ),
    "error_event_first": lambda raw, stream: raw.status == 200 and "error" in (raw.events[0] if stream else raw.json),
    "error_event_middle": lambda raw, stream: (
        raw.status == 200 and ("error" in raw.events[-1] and raw.text if stream else "error" in raw.json)
    ),
    "malformed_event": lambda raw, stream: (
        raw.is_whole and (not all(map(is_json, data_lines(raw))) and has_done(raw) if stream else not is_json(raw.body))
    ),
    "huge_event": lambda raw, stream: raw.is_whole and b"x" * SMALL in raw.body,
    "huge_headers": lambda raw, stream: len(raw.head) > SMALL,
    "invalid_utf8": lambda raw, stream: raw.is_whole and b"\xff\xc3(" in raw.body,
    "gzip": lambda raw, stream: (
        raw.headers["content-encoding"] == "gzip" and b"sim-000001" in gzip.decompress(raw.body)
    ),
    "gzip_bomb": lambda raw, stream: (
        len(raw.body) < SMALL * 4 and zlib.decompress(raw.body, wbits=31).startswith(b"\n" * SMALL)
    ),
    "byte_order_mark": lambda raw, stream: raw.is_whole and raw.body.startswith(b"\xef\xbb\xbf"),
    "crlf_lines": lambda raw, stream: raw.is_whole and raw.body.count(b"\r\n") == raw.body.count(b"\n"),
    "single_bytes": lambda raw, stream: raw.is_whole and raw.text.startswith("[simulated"),
    "html_200": lambda raw, stream: raw.status == 200 and raw.headers["content-type"].startswith("text/html"),
    "json_instead_of_stream": lambda raw, stream: raw.headers["content-type"] == "application/json" and raw.json,
    "stream_instead_of_json": lambda raw, stream: raw.headers["content-type"].startswith("text/event-stream"),
    "wrong_content_type": lambda raw, stream: raw.headers["content-type"] == "text/plain" and raw.is_whole,
    "empty_answer": lambda raw, stream: (
        raw.is_whole and raw.text == "" and (finishes(raw) if stream else finish_of(raw))
    ),
    "length": lambda raw, stream: raw.text and (finishes(raw)[0] if stream else finish_of(raw)) in LENGTHS,
    "cut_with_stop": lambda raw, stream: (
        not raw.text.endswith("takes.") and (finishes(raw)[0] if stream else finish_of(raw)) in ("stop", "end_turn")
    ),
    "reasoning_only_length": lambda raw, stream: (
        raw.text == "" and b"reasoning that used" in joined(raw) and any(word.encode() in raw.body for word in LENGTHS)
    ),
    "refusal": lambda raw, stream: b"refus" in raw.body,
    "content_filter": lambda raw, stream: (
        (finishes(raw)[0] if stream else finish_of(raw)) in ("content_filter", "refusal")
    ),
    "no_usage": lambda raw, stream: raw.is_whole and b'"usage"' not in raw.body,
    "usage_in_finish_chunk": lambda raw, stream: (
        any("usage" in event and (event.get("choices") or event.get("delta")) for event in raw.events[:-1])
        if stream
        else "usage" in raw.json
    ),
    "finish_on_every_event": lambda raw, stream: not stream or len(finishes(raw)) > 10,
    "message_at_end": lambda raw, stream: not stream or any(word in raw.body for word in (b'"message":{', b'"type":"message",')),
    "text_at_end": lambda raw, stream: not stream or raw.text[: len(raw.text) // 2] == raw.text[len(raw.text) // 2 :],
    "snapshots": lambda raw, stream: not stream or raw.text.count("[simulated") > 10,
    "reasoning_only": lambda raw, stream: raw.text == "" and b"simulated" in joined(raw),
    "think_tags": lambda raw, stream: raw.text.startswith("<think>\n") and "</think>\n\n[simulated" in raw.text,
    "lone_think_end": lambda raw, stream: "<think>" not in raw.text and "</think>\n\n[simulated" in raw.text,
    "unended_event": lambda raw, stream: not stream or (raw.body.endswith(b"}\n") and not raw.body.endswith(b"\n\n")),
    "comments_as_data": lambda raw, stream: not stream or raw.events.count(": simulated") == 3,
    "null_events": lambda raw, stream: not stream or raw.events.count("null") == 3,
    "doubled_data": lambda raw, stream: not stream or b"data: data: {" in raw.body,
    "empty_error": lambda raw, stream: b'"error":{"message":"","code":null}' in raw.body,
    "finish_in_capitals": lambda raw, stream: (finishes(raw)[0] if stream else finish_of(raw)) in ("STOP", "END_TURN"),
    "unknown_finish": lambda raw, stream: (finishes(raw)[0] if stream else finish_of(raw)) == "simulated_end",
    "usage_in_choice": lambda raw, stream: b'"usage":{' in raw.body and not any("choices" in place for place in reports(raw)),
    "zeros_after_usage": lambda raw, stream: not stream or 0 in reports(raw)[-1]["usage"].values(),
    "zero_usage": lambda raw, stream: all(set(counts(place)) == {0} for place in reports(raw)),
    "absurd_usage": lambda raw, stream: all(set(counts(place)) == {900_000_000} for place in reports(raw)),
    "reasoning_beside": lambda raw, stream: (
        joined(raw) and ("type" in reports(raw)[-1] or sum(counts(reports(raw)[-1])[:2]) < counts(reports(raw)[-1])[2])
    ),
    "dropped_prompt": lambda raw, stream: all(counts(place)[0] == 1 for place in reports(raw)),
    "204": lambda raw, stream: raw.status == 204 and raw.body == b"" and "content-length" not in raw.headers,
    "redirect": lambda raw, stream: raw.status == 307 and raw.headers["location"] == "http://redirected.invalid/",
}


def reports(raw: Raw) -> list[dict[str, Any]]:
    """Give the documents that report usage."""
    documents = raw.events if raw.headers["content-type"].startswith("text/event-stream") else [raw.json]
    places = [place for one in documents if isinstance(one, dict) for place in (one, one.get("message", {}))]
    return [place for place in places if place.get("usage")]


def counts(place: dict[str, Any]) -> list[int]:
    """Give the totals that a document reports."""
    names = ("prompt_tokens", "input_tokens", "completion_tokens", "output_tokens", "total_tokens")
    return [place["usage"][name] for name in names if name in place["usage"]]


def joined(raw: Raw) -> bytes:
    """Join the pieces of reasoning of a stream; a body as it is."""
    if not raw.headers["content-type"].startswith("text/event-stream"):
        return raw.body
    deltas = [event.get("delta") or event["choices"][0]["delta"] for event in raw.events if is_delta(event)]
    return "".join(delta.get("reasoning_content") or delta.get("thinking") or "" for delta in deltas).encode()


def is_delta(event: Any) -> bool:
    return isinstance(event, dict) and bool(event.get("delta") or event.get("choices"))


def data_lines(raw: Raw) -> list[bytes]:
    lines = [line.removeprefix(b"data: ") for line in raw.body.split(b"\n") if line.startswith(b"data: ")]
    return [line for line in lines if line != b"[DONE]"]


def has_done(raw: Raw) -> bool:
    return raw.body.endswith((b"data: [DONE]\n\n", b'data: {"type":"message_stop"}\n\n'))


def play(fault: str) -> dict[str, Any]:
    return {"default": {"fault": fault, "fault_bytes": SMALL, "fault_count": 3, "fault_interval_s": 0.001}}


def test_each_fault_is_tested() -> None:
    """A row added to the table needs an expectation here."""
    assert set(EXPECTED) | set(HANGS) | set(ERRORS) | {"keep_alive_endless"} == set(FAULTS)


def test_each_fault_has_one_line_of_description() -> None:
    """The catalogue can be printed from the table."""
    assert all(fault.description and "\n" not in fault.description for fault in FAULTS.values())


@pytest.mark.parametrize(("wire", "stream"), BOTH)
@pytest.mark.parametrize("fault", EXPECTED)
def test_fault_reaches_the_client(fault: str, wire: str, stream: bool, ask: Ask) -> None:
    """A client sees exactly what the fault's description says, on both wires, streaming or not."""
    with Simulator(play(fault)) as simulator:
        raw = ask(simulator, wire, stream=stream)
        assert len(simulator.calls) == 1
        assert EXPECTED[fault](raw, stream), raw


@pytest.mark.parametrize("fault", [name for name in EXPECTED if not name.startswith("disconnect_at")])
def test_without_the_fault_the_expectation_fails_or_is_no_fault(fault: str, ask: Ask) -> None:
    """The expectations tell a faulty answer from a good one."""
    harmless = {"close_after_answer", "single_bytes", "crlf_lines"}
    with Simulator() as simulator:
        good = {stream: ask(simulator, stream=stream) for stream in (False, True)}
    seen = []
    for stream, raw in good.items():
        try:
            seen.append(bool(EXPECTED[fault](raw, stream)))
        except (KeyError, ValueError, OSError, zlib.error):
            seen.append(False)
    assert fault in harmless or not all(seen)


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize("name", ERRORS)
def test_error_rows(name: str, wire: str, ask: Ask) -> None:
    """Each error has its status, a body with its words, JSON unless it is an event, and no answer."""
    with Simulator({"default": {"fault": name, "retry_after_s": 2}}) as simulator:
        raw = ask(simulator, wire, stream=True)
    row = ERRORS[name]
    assert raw.status == row.status
    said = json.loads(raw.body.split(b"data: ")[1]) if row.as_event else raw.json
    assert row.message.replace("{wait}", "2") in json.dumps(said)
    if row.shape is None:
        error = raw.json["error"]
        assert error["type"] == (row.openai_type if wire == "openai-chat" else row.anthropic_type)


@pytest.mark.parametrize(
    ("name", "header", "value"),
    [
        ("429", "retry-after", "2"),
        ("429_ms", "retry-after-ms", "2000"),
        ("429_date", "retry-after", "Fri, 02 Jan 2026 03:04:07 GMT"),
        ("429_reset_duration", "x-ratelimit-reset-requests", "2000ms"),
        ("429_reset_instant", "anthropic-ratelimit-requests-reset", "2026-01-02T03:04:07Z"),
        ("429_negative", "retry-after", "-5"),
        ("429_junk", "retry-after", "soon"),
        ("429_do_not_retry", "x-should-retry", "false"),
        ("429_flat", "x-ratelimit-remaining-req-minute", "0"),
        ("429_no_wait", "retry-after", None),
    ],
)
def test_waiting_headers(name: str, header: str, value: str | None, ask: Ask, clock: Any) -> None:
    """Each dialect names the wait in its own header."""
    with Simulator({"default": {"fault": name, "retry_after_s": 2}}, clock=clock) as simulator:
        assert ask(simulator).headers.get(header) == value


@pytest.mark.parametrize(("wire", "stream"), BOTH)
@pytest.mark.parametrize("fault", HANGS)
def test_hang_keeps_the_connection_silent(fault: str, wire: str, stream: bool) -> None:
    """After its last byte a hanging connection stays open until the client leaves."""
    cut = {name: f"disconnect_{name.removeprefix('hang_')}" for name in HANGS}[fault]
    twin = {"disconnect_mid_event": "cut_mid_event", "disconnect_before_end": "cut_before_end"}.get(cut, cut)
    with Simulator(play(fault)) as simulator, connect(simulator) as connection:
        connection.sendall(request_bytes(PATHS[wire], prompt(stream=stream)))
        data = b""
        while not has_come(data, twin, stream=stream):  # however long a busy machine takes
            part = connection.recv(65536)
            assert part, "the connection was closed"
            data += part
        connection.settimeout(0.03)
        with suppress(TimeoutError):
            while part := connection.recv(65536):
                data += part
            raise AssertionError("the connection was closed")
        assert EXPECTED[twin](split_response(data), stream)


def has_come(data: bytes, fault: str, *, stream: bool) -> bool:
    """Whether these bytes are what a fault is expected to leave."""
    try:
        return bool(EXPECTED[fault](split_response(data), stream))
    except (KeyError, IndexError, ValueError):  # a head or an event that is not whole
        return False


@pytest.mark.parametrize(("wire", "stream"), BOTH)
def test_endless_keep_alives(wire: str, stream: bool) -> None:
    """Keep-alives go on until the client leaves, and no token comes."""
    with Simulator(play("keep_alive_endless")) as simulator, connect(simulator) as connection:
        connection.sendall(request_bytes(PATHS[wire], prompt(stream=stream)))
        data = b""
        while data.count(b"\n\r\n") < 25:
            data += connection.recv(65536)
        body = split_response(data).body
        assert b"text_delta" not in body
        assert b'"content":"[sim' not in body


def test_close_after_answer_closes_a_kept_connection_unannounced() -> None:
    """The answer does not say that the connection closes, and then it does."""
    with Simulator(play("close_after_answer")) as simulator, connect(simulator) as connection:
        connection.sendall(request_bytes(PATHS["openai-chat"], prompt(), close=False))
        data, was_reset = read_to_end(connection)
        raw = split_response(data)
        assert raw.is_whole
        assert not was_reset
        assert "connection" not in raw.headers


def test_error_inside_a_200_is_the_row_the_scenario_names(ask: Ask) -> None:
    """`fault_error` picks the error that stands inside a 200."""
    with Simulator({"default": {"fault": "error_event_middle", "fault_error": "529"}}) as simulator:
        raw = ask(simulator, "anthropic-messages", stream=True)
    assert raw.events[-1]["error"]["type"] == "overloaded_error"
    assert raw.body.rsplit(b"event: ", 1)[1].startswith(b"error\n")
