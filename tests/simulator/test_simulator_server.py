"""The server as such: paths, HTTP/1.1, many connections, records, stopping."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from raw_client import PATHS, Ask, connect, prompt, read_to_end, request_bytes, split_response

from deepsel.errors import ConfigError
from deepsel.secret import Secret
from deepsel.simulator import Simulator, demo_server


def get(simulator: Simulator, path: str, *, method: str = "GET", body: str | None = None) -> tuple[int, bytes]:
    """Make one request with the standard library's client."""
    client = http.client.HTTPConnection("127.0.0.1", simulator.port, timeout=20)
    try:
        client.request(method, path, body)
        response = client.getresponse()
        return response.status, response.read()
    finally:
        client.close()


def test_small_paths() -> None:
    """Health, models, and counting answer; other paths and methods say so."""
    with Simulator({"models": {"solo": {}, "many-*": {}}}) as simulator:
        assert json.loads(get(simulator, "/health")[1]) == {"status": "ok", "simulated": True}
        assert [row["id"] for row in json.loads(get(simulator, "/v1/models?x=1")[1])["data"]] == ["solo"]
        counted = get(simulator, "/v1/messages/count_tokens", method="POST", body=json.dumps(prompt(text="x" * 40)))
        assert counted == (200, b'{"input_tokens":10}')
        assert get(simulator, "/v1/messages/count_tokens", method="POST", body="{}")[0] == 400
        assert get(simulator, "/v1/chat/completions")[0] == 405
        assert get(simulator, "/nowhere")[0] == 404
        assert get(simulator, "/health", method="HEAD") == (200, b"")


def test_every_usual_prefix_works() -> None:
    """A path is known by its end, so that any base URL will do."""
    with Simulator() as simulator:
        for path in ("/chat/completions", "/v1/chat/completions", "/api/v1/chat/completions", "/anthropic/v1/messages"):
            assert get(simulator, path, method="POST", body=json.dumps(prompt()))[0] == 200
        assert simulator.base_url == f"{simulator.url}/v1"


def test_connections_are_kept_and_pipelined() -> None:
    """Requests sent in one go on one connection are answered in order."""
    with Simulator() as simulator, connect(simulator) as connection:
        first = request_bytes(PATHS["openai-chat"], prompt(text="one"), close=False)
        connection.sendall(first + request_bytes(PATHS["openai-chat"], prompt(text="two")))
        data, _ = read_to_end(connection)
    assert data.count(b"HTTP/1.1 200 OK") == 2
    assert data.index(b"one") < data.index(b"two")


def test_chunked_bodies_and_continue() -> None:
    """A chunked request body is read, after `100 Continue` where the client waits for it."""
    body = json.dumps(prompt()).encode()
    half = len(body) // 2
    chunks = b"".join(b"%x;ext=1\r\n%b\r\n" % (len(part), part) for part in (body[:half], body[half:]))
    head = "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\nexpect: 100-continue\r\n"
    with Simulator() as simulator, connect(simulator) as connection:
        connection.sendall(f"{head}connection: close\r\n\r\n".encode())
        interim = b"HTTP/1.1 100 Continue\r\n\r\n"
        assert connection.recv(len(interim), socket.MSG_WAITALL) == interim
        connection.sendall(chunks + b"0\r\ntrailer: x\r\n\r\n")
        assert split_response(read_to_end(connection)[0]).text.startswith("[simulated")


@pytest.mark.parametrize(
    ("request_bytes_", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"GET / HTTP/2.0\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nbad header\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\na : b\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nx: " + b"y" * 70_000, 431),
        (b"POST / HTTP/1.1\r\ncontent-length: 1, 2\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\ncontent-length: -1\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\ncontent-length: 99999999999\r\n\r\n", 413),
        (b"POST / HTTP/1.1\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\ntransfer-encoding: gzip\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\n", 400),
        (b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n1\r\nabc", 400),
    ],
)
def test_what_is_no_request_is_refused(request_bytes_: bytes, status: int) -> None:
    """A broken or oversized request gets its status and the connection closes; the server goes on."""
    with Simulator() as simulator:
        with connect(simulator) as connection:
            connection.sendall(request_bytes_)
            connection.shutdown(socket.SHUT_WR)
            raw = split_response(read_to_end(connection)[0])
        assert raw.status == status
        assert raw.headers["connection"] == "close"
        assert get(simulator, "/health")[0] == 200


def test_many_connections_at_once(ask: Ask) -> None:
    """A hundred clients at once all get their own answer."""
    with Simulator() as simulator, ThreadPoolExecutor(100) as pool:
        answers = list(pool.map(lambda number: ask(simulator, stream=True, text=f"number {number}.").text, range(200)))
        assert all(f'"number {number}."' in text for number, text in enumerate(answers))
        assert len(simulator.calls) == len({record.request_id for record in simulator.records}) == 200


def test_a_client_that_leaves_is_no_matter(ask: Ask) -> None:
    """A client that closes in the middle of an answer disturbs nobody, and its turn is given back."""
    play = {"default": {"max_concurrent": 1}, "steps": [{"fault": "keep_alive_endless"}]}
    with Simulator(play) as simulator:
        with connect(simulator) as connection:
            connection.sendall(request_bytes(PATHS["openai-chat"], prompt(stream=True)))
            connection.recv(1)
        while ask(simulator).status == 429:
            pass
        assert ask(simulator).status == 200


def test_calls_hold_the_request_and_mask_its_keys(ask: Ask) -> None:
    """A call can be checked for its key, which no text form of it shows."""
    with Simulator() as simulator:
        with connect(simulator) as connection:
            keys = "authorization: Bearer sk-very-secret\r\nx-api-key: sk-other\r\n"
            connection.sendall(request_bytes("/v1/messages?beta=1", prompt(), headers=keys))
            read_to_end(connection)
        (call,) = simulator.calls
    assert (call.method, call.path, call.body["model"]) == ("POST", "/v1/messages", "m")
    assert call.credentials["authorization"] == Secret("Bearer sk-very-secret")
    assert "sk-" not in repr(call)


def test_records_grow_in_order_and_can_be_fetched(ask: Ask) -> None:
    """Stamps never run backwards, count every token, use perf_counter, and reach another process as JSON."""
    with Simulator({"default": {"ttft_s": 0.002, "itl_s": 0.0001, "output_tokens": 20}}) as simulator:
        before_s = time.perf_counter()
        raw = ask(simulator, stream=True, model="x-reasoner")
        after_s = time.perf_counter()
        (record,) = simulator.records
        fetched = json.loads(get(simulator, "/_simulator/records")[1])["records"]
    tokens = record.reasoning_written_s + record.token_written_s
    assert len(record.token_written_s) == 20
    assert list(tokens) == sorted(tokens)
    assert record.head_written_s is not None
    assert record.last_written_s is not None
    assert before_s < record.request_read_s < record.head_written_s < tokens[0]
    assert tokens[-1] < record.last_written_s < after_s
    assert raw.headers["x-request-id"] == record.request_id == fetched[0]["request_id"]
    assert fetched[0]["token_written_s"] == list(record.token_written_s)


def test_stop_ends_what_is_under_way() -> None:
    """Stopping closes hanging, sleeping and idle connections and leaves no thread behind."""
    before = set(threading.enumerate())
    play = {"steps": [{"fault": "hang_before_first_token"}, {"ttft_s": 3600}, {"fault": "hang_at_accept"}]}
    simulator = Simulator(play).start()
    connections = []
    for number in range(4):
        connection = connect(simulator)
        connections.append(connection)
        connection.sendall(request_bytes(PATHS["openai-chat"], prompt(stream=True), close=False))
        while len(simulator.calls) <= number:
            pass
    simulator.stop()
    simulator.stop()
    for connection in connections:
        read_to_end(connection)
        connection.close()
    assert set(threading.enumerate()) <= before
    with pytest.raises(OSError):
        connect(simulator)


def test_a_port_in_use_is_one_clear_line() -> None:
    """A port that is taken is a configuration error with a way out."""
    with Simulator() as simulator, pytest.raises(ConfigError) as caught:
        Simulator(port=simulator.port).start()
    assert f"port {simulator.port}: address already in use" in caught.value.message
    assert "\n" not in caught.value.message
    assert "--port 0" in caught.value.hint


@pytest.mark.parametrize("port", [70_000, -1])
def test_an_impossible_port_is_one_clear_line(port: int) -> None:
    """A number that is no port is a configuration error too."""
    with pytest.raises(ConfigError):
        Simulator(port=port).start()


def test_idle_connections_are_closed_where_the_scenario_says(ask: Ask) -> None:
    """A kept connection without a request is closed after `close_idle_s`."""
    with Simulator({"close_idle_s": 0.01}) as simulator, connect(simulator) as connection:
        connection.sendall(request_bytes(PATHS["openai-chat"], prompt(), close=False))
        assert split_response(read_to_end(connection)[0]).is_whole


def test_the_demo_answers(ask: Ask) -> None:
    """The demo's server is up when the function returns and speaks every wire."""
    simulator = demo_server()
    try:
        assert [ask(simulator, wire, max_tokens=2).status for wire in PATHS] == [200, 200, 200]
    finally:
        simulator.stop()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_run_ends_cleanly_on_a_signal(number: int) -> None:
    """`run` says when it is ready, serves, and returns on Ctrl-C and SIGTERM without a word."""
    code = (
        "from deepsel.simulator import BUILT_IN, run\n"
        "ready = lambda simulator: print(simulator.port, flush=True)\n"
        "run('127.0.0.1', 0, scenario=BUILT_IN['hanging'], on_ready=ready)\n"
        "print('closed')\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    with process:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
            connection.sendall(request_bytes(PATHS["openai-chat"], prompt(stream=True)))
            connection.recv(1)
            os.kill(process.pid, number)
            out, err = process.communicate(timeout=100)
    assert (process.returncode, out, err) == (0, "closed\n", "")


def test_the_import_is_light() -> None:
    """Starting the demo loads no HTTP server, mail parser, TOML reader or client library."""
    code = "import sys, deepsel.simulator; print(*sys.modules)"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(shown.stdout.split())
    assert not loaded & {"http.server", "email.parser", "tomllib", "httpx", "asyncio", "random", "deepsel.config"}
