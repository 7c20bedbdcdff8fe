"""`models --refresh`: shows each change, refuses what looks wrong, and what it writes is what every command then uses."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

Deepsel = Callable[..., Any]
PLAIN = {"litellm_provider": "openai", "input_cost_per_token": 2.6e-06, "output_cost_per_token": 1e-05}


def _list(**changes: Any) -> bytes:
    return json.dumps({"sample_spec": {}, "gpt-4o": {**PLAIN, **changes}}).encode()


@pytest.fixture
def listed(home: Path) -> Path:
    """A price list that raises one price a little."""
    path = home / "list.json"
    path.write_bytes(_list())
    return path


@pytest.fixture
def served() -> Iterator[str]:
    """The same list on a server, at `/list`; anything else is not there."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = _list()
            self.send_response(200 if self.path == "/list" else 404)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def _price(deepsel: Deepsel) -> str:
    return str(deepsel("models", "gpt-4o", "--all", "--json").record()["models"][0]["price"]["input"])


def test_new_prices_are_shown_written_and_used(deepsel: Deepsel, listed: Path, home: Path) -> None:
    """The change is shown, the overlay written whole, and the next command asks the new price."""
    assert _price(deepsel) == "2.5"
    ran = deepsel("models", "--refresh", "--from", str(listed))
    assert ran.code == 0, ran.err
    assert "gpt-4o input: 2.5 -> 2.6  1.04x" in ran.out
    assert _price(deepsel) == "2.6"
    assert [path.name for path in (home / "data").iterdir()] == ["prices.json"]
    again = deepsel("models", "--refresh", "--from", str(listed), "--json").record()
    assert (again["changes"], again["confirmed"], again["written"]) == ([], ["gpt-4o"], True)
    (home / "data" / "prices.json").unlink()
    assert _price(deepsel) == "2.5"


def test_a_leap_is_refused_without_force(deepsel: Deepsel, listed: Path, home: Path) -> None:
    """A price that moves more than tenfold is shown and refused, exit 9, nothing written; `--force` takes it."""
    listed.write_bytes(_list(input_cost_per_token=2.6e-05))
    refused = deepsel("models", "--refresh", "--from", str(listed))
    assert refused.code == 9
    assert "! gpt-4o input: 2.5 -> 26" in refused.out
    assert not (home / "data" / "prices.json").exists()
    assert deepsel("models", "--refresh", "--from", str(listed), "--force").code == 0
    assert _price(deepsel) == "26"


def test_from_the_network(deepsel: Deepsel, served: str) -> None:
    """A list is got over HTTP; a server that has none is exit 5, an unreachable one too."""
    assert deepsel("models", "--refresh", "--from", f"{served}/list").code == 0
    assert _price(deepsel) == "2.6"
    assert deepsel("models", "--refresh", "--from", f"{served}/gone").code == 5
    assert deepsel("models", "--refresh", "--from", "http://127.0.0.1:1/list").code == 5


def test_gateway_list_makes_its_models_known(deepsel: Deepsel, home: Path) -> None:
    """After a refresh from a gateway its resale price is known before asking."""
    path = home / "openrouter.json"
    path.write_text(json.dumps({"data": [{"id": "x/y", "pricing": {"prompt": "0.000001", "completion": "0.000002"}}]}))
    assert deepsel("models", "--refresh", "--from", str(path)).code == 0
    row = deepsel("models", "openrouter/x/y", "--json").record()["models"][0]
    assert (row["provider"], row["price"]["output"]) == ("openrouter", "2")


@pytest.mark.parametrize("content", [b"", b"<html>", b"[]", b'{"a": 1}'])
def test_what_is_no_list_changes_nothing(deepsel: Deepsel, home: Path, content: bytes) -> None:
    """A page, an empty file, another document: a usage error, and no file."""
    path = home / "other.json"
    path.write_bytes(content)
    assert deepsel("models", "--refresh", "--from", str(path)).code == 2
    assert deepsel("models", "--refresh", "--from", str(home / "missing.json")).code == 2
    assert deepsel("models", "--force").code == 2
    assert not (home / "data").exists()
