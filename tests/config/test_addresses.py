"""Addresses that the environment gives to built-in providers: where each goes, and where a key may not go."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest

from deepsel.catalog import Catalog
from deepsel.config import at_their_addresses, find_provider, parse_settings, resolve_key
from deepsel.errors import ConfigError
from deepsel.values import Provider

CATALOG = Catalog()
GATEWAY = {"OPENAI_BASE_URL": "https://gateway.example/v1/", "OPENAI_API_KEY": "k", "ANTHROPIC_API_KEY": "k"}


def found(name: str, env: dict[str, str], toml: str = "") -> Provider:
    settings = parse_settings(toml.encode(), Path("profiles.toml"), CATALOG)
    return find_provider(at_their_addresses(settings, env), name)


@pytest.mark.parametrize(
    ("name", "env", "expected"),
    [
        ("openai", GATEWAY, "https://gateway.example/v1"),
        ("openai", {"OPENAI_BASE_URL": ' "http://127.0.0.1:8000/x" '}, "http://127.0.0.1:8000/x"),
        ("openai", {"OPENAI_BASE_URL": "  "}, "https://api.openai.com/v1"),
        ("openai", {"ANTHROPIC_BASE_URL": "https://a.example"}, "https://api.openai.com/v1"),
        ("anthropic", {"ANTHROPIC_BASE_URL": "https://a.example"}, "https://a.example"),
        ("ollama", {"OLLAMA_HOST": "10.1.2.3"}, "http://10.1.2.3:11434/v1"),
        ("ollama", {"OLLAMA_HOST": "10.1.2.3:1234"}, "http://10.1.2.3:1234/v1"),
        ("ollama", {"OLLAMA_HOST": "http://gpu"}, "http://gpu:80/v1"),
        ("ollama", {"OLLAMA_HOST": "https://gpu/"}, "https://gpu:443/v1"),
        ("ollama", {"OLLAMA_HOST": "https://gpu:8443/ollama"}, "https://gpu:8443/ollama/v1"),
        ("ollama", {"OLLAMA_HOST": "0.0.0.0"}, "http://127.0.0.1:11434/v1"),
        ("ollama", {"OLLAMA_HOST": "0.0.0.0:1234"}, "http://127.0.0.1:1234/v1"),
        ("ollama", {"OLLAMA_HOST": ":1234"}, "http://127.0.0.1:1234/v1"),
        ("ollama", {"OLLAMA_HOST": "::"}, "http://[::1]:11434/v1"),
        ("ollama", {"OLLAMA_HOST": "[fd12::1]"}, "http://[fd12::1]:11434/v1"),
        ("ollama", {"OLLAMA_HOST": "[fd12::1]:1234"}, "http://[fd12::1]:1234/v1"),
        ("ollama", {"OLLAMA_HOST": "fd12::1"}, "http://[fd12::1]:11434/v1"),
    ],
)
def test_the_environment_gives_the_address(name: str, env: dict[str, str], expected: str) -> None:
    """The variables of the providers' own programs are read as those programs read them."""
    assert found(name, env).base_url == expected


@pytest.mark.parametrize("value", ["gateway.example", "ftp://x.example", "https://u:p@x.example/v1", "https://x/v1?a=b", "https://"])
def test_what_is_no_address_is_refused_by_name(value: str) -> None:
    """A variable that cannot be used stops its provider, with its name and without its value, and no other."""
    env = {**GATEWAY, "OPENAI_BASE_URL": value}
    with pytest.raises(ConfigError) as caught:
        resolve_key(found("openai", env), env)
    assert "OPENAI_BASE_URL" in caught.value.message
    assert value not in caught.value.message + caught.value.hint
    assert resolve_key(found("anthropic", env), env)


@pytest.mark.parametrize("value", ["gpu:x", "http://u@gpu", "gpu:99999"])
def test_what_is_no_host_is_refused_by_name(value: str) -> None:
    """A host that cannot be read is refused even where no key is needed."""
    with pytest.raises(ConfigError, match="OLLAMA_HOST"):
        resolve_key(found("ollama", {"OLLAMA_HOST": value}), {})


@pytest.mark.parametrize("name", ["openai-us", "openai-eu", "openai-gb"])
def test_a_key_that_belongs_elsewhere_stays(name: str) -> None:
    """The key of a gateway is not sent to the provider's other addresses, which share its variable."""
    with pytest.raises(ConfigError) as caught:
        resolve_key(found(name, GATEWAY), GATEWAY)
    assert "OPENAI_BASE_URL" in caught.value.message
    assert resolve_key(found(name, {"OPENAI_API_KEY": "k"}), GATEWAY)


def test_the_file_wins() -> None:
    """An address the user wrote for deepsel stands over a variable that is there for every program; other members do not."""
    assert found("openai", GATEWAY, '[providers.openai]\nbase_url = "https://own.example/v1"\n').base_url == "https://own.example/v1"
    moved = found("openai", GATEWAY, "[providers.openai]\nmax_concurrency = 3\n")
    assert (moved.base_url, moved.max_concurrency) == ("https://gateway.example/v1", 3)
    own = found("openai-eu", GATEWAY, '[providers.openai-eu]\nbase_url = "https://own.example/v1"\n')
    assert resolve_key(own, GATEWAY)


def test_the_key_goes_where_its_variable_says(simulate: Callable[..., Any], deepsel: Callable[..., Any]) -> None:
    """A call to the built-in provider arrives at the address of the environment, and nowhere else."""
    server = simulate(text="Hello.")
    env = {"OPENAI_BASE_URL": server.base_url, "OPENAI_API_KEY": "gateway-key-1234"}
    ran = deepsel("ask", "--no-cache", "-q", "-m", "gpt-6-luna", "Hi", env=env)
    assert (ran.code, ran.out) == (0, "Hello.\n")
    ran = deepsel("ask", "--no-cache", "-q", "-m", "openai-eu/gpt-6-luna", "Hi", env=env)
    assert ran.code == 3
    assert "OPENAI_BASE_URL" in ran.err
    assert len(server.calls) == 1


def test_another_address_is_another_answer(simulate: Callable[..., Any], deepsel: Callable[..., Any]) -> None:
    """A replayed answer is not that of the address before."""
    first, second = simulate(text="first"), simulate(text="second")
    told = [
        deepsel("ask", "-q", "-m", "gpt-4o-mini", "Hi", env={"OPENAI_API_KEY": "k-123456", "OPENAI_BASE_URL": one.base_url}).out
        for one in (first, first, first, second)
    ]
    assert told == ["first\n", "first\n", "first\n", "second\n"]


class _Deployment(BaseHTTPRequestHandler):
    """Answers whatever is asked, and keeps path and headers."""

    asked: ClassVar[list[tuple[str, list[str]]]] = []

    def do_POST(self) -> None:
        """Answer one request."""
        self.rfile.read(int(self.headers["content-length"]))
        self.asked.append((self.path, [name.lower() for name in self.headers]))
        choice = {"index": 0, "message": {"content": "Hello."}, "finish_reason": "stop"}
        body = json.dumps({"choices": [choice], "usage": {"prompt_tokens": 1, "completion_tokens": 1}}).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.mark.parametrize("form", ["in the address", "apart"])
def test_an_address_with_a_query(home: Path, deepsel: Callable[..., Any], form: str) -> None:
    """A deployment at Azure: what follows the path is sent behind the wire's own, and the key in the header `api-key`."""
    server = HTTPServer(("127.0.0.1", 0), _Deployment)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}/openai/deployments/d"
    query = '"\nquery = { api-version = "2024-10-21" }' if form == "apart" else '?api-version=2024-10-21"'
    address = f'base_url = "{url}{query}'
    (home / "profiles.toml").write_text(f'[providers.az]\nwire = "openai-chat"\n{address}\nauth = "api-key"\napi_key_env = "TEST_KEY"\n')
    ran = deepsel("ask", "--no-cache", "-q", "-m", "az/gpt", "Hi")
    server.shutdown()
    server.server_close()
    assert (ran.code, ran.out) == (0, "Hello.\n"), ran.err
    asked, headers = _Deployment.asked.pop()
    assert asked == "/openai/deployments/d/chat/completions?api-version=2024-10-21"
    assert "api-key" in headers
    assert "authorization" not in headers
