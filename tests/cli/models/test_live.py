"""`deepsel models --provider NAME --live` against servers that list their models, or do not."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest


class _Lister(BaseHTTPRequestHandler):
    """Answers GET with what the test says."""

    status = 200
    body = b""
    seen: list[tuple[str, str | None]]

    def do_GET(self) -> None:
        self.seen.append((self.path, self.headers.get("authorization")))
        self.send_response(self.status)
        self.send_header("content-length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *_: object) -> None:
        """Write nothing to stderr."""


@pytest.fixture
def lister(home: Path) -> Iterator[Callable[..., list[tuple[str, str | None]]]]:
    """Start a server and a profiles.toml with a provider `host` there; gives what it was asked."""
    servers: list[ThreadingHTTPServer] = []

    def start(document: Any, status: int = 200, more: str = "") -> list[tuple[str, str | None]]:
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        handler = type("Handler", (_Lister,), {"seen": [], "status": status, "body": body})
        servers.append(ThreadingHTTPServer(("127.0.0.1", 0), handler))
        Thread(target=servers[-1].serve_forever, args=(0.01,), daemon=True).start()
        url = f"http://127.0.0.1:{servers[-1].server_port}/v1"
        (home / "profiles.toml").write_text(
            f'[providers.host]\nwire = "openai-chat"\nbase_url = "{url}"\napi_key_env = "TEST_KEY"\n{more}\n'
            '[models.mine]\nprovider = "host"\nid = "big-1"\n'
        )
        seen: list[tuple[str, str | None]] = handler.seen  # type: ignore[attr-defined]  # made above
        return seen

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize(
    "document",
    [
        {"object": "list", "data": [{"id": "big-1"}, {"id": "small-1"}]},
        [{"id": "big-1"}, {"id": "small-1"}],
        {"models": [{"name": "big-1"}, "small-1", {"odd": 1}]},
    ],
)
def test_what_it_serves_as_m_takes_it(deepsel: Callable[..., Any], lister: Callable[..., Any], document: Any) -> None:
    """The user's own name where there is one, else PROVIDER/ID; in each form that hosts send; with the key."""
    seen = lister(document)
    ran = deepsel("models", "--provider", "host", "--live")
    assert (ran.code, ran.out) == (0, "mine\nhost/small-1\n"), ran.err
    assert seen == [("/v1/models", "Bearer sk-test-0123456789")]
    assert deepsel("models", "SMALL", "--provider", "host", "--live").out == "host/small-1\n"
    found = deepsel("models", "--provider", "host", "--live", "--json").record()["models"]
    assert [(one["id"], one["model"], one["known"]) for one in found] == [("big-1", "mine", True), ("small-1", "host/small-1", False)]


def test_its_own_path_and_query(deepsel: Callable[..., Any], lister: Callable[..., Any]) -> None:
    """`models_path` and `query` of the row are used."""
    seen = lister({"data": []}, more='models_path = "/list"\nquery = { api-version = "1" }')
    assert deepsel("models", "--provider", "host", "--live").code == 0
    assert seen[0][0] == "/v1/list?api-version=1"


@pytest.mark.parametrize(
    ("document", "status", "code", "told"),
    [({}, 401, 4, "refused the key"), ({}, 404, 5, "models_path"), (b"<html>", 200, 5, "no list of models"), ({"a": 1}, 200, 5, "`data`")],
)
def test_what_goes_wrong(
    deepsel: Callable[..., Any], lister: Callable[..., Any], document: Any, status: int, code: int, told: str
) -> None:
    """Each has its line and exit code, and no key is shown."""
    lister(document, status)
    ran = deepsel("models", "--provider", "host", "--live")
    assert (ran.code, told in ran.err) == (code, True), ran.err
    assert "sk-test" not in ran.out + ran.err


def test_it_needs_a_provider(deepsel: Callable[..., Any]) -> None:
    """One that is there."""
    assert deepsel("models", "--live").code == 2
    assert deepsel("models", "--provider", "nope", "--live").code == 3
