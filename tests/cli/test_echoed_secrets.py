"""A provider that gives secrets back, wherever it can: no output and no file of the whole command holds one."""

from __future__ import annotations

import json
import sys
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, NamedTuple

import pytest

Deepsel = Callable[..., Any]
KEY, HEADER, BODY, COMMAND, REDIS = (
    "sk-CANARYkeyGHIJKL0123456789mnop", "CANARYheaderXYZ55512345", "CANARYbodyQRS777", "CANARYcmdTUV88899", "CANARYredisPW42",
)  # fmt: skip
ECHO = f"{KEY} {HEADER} {BODY} {REDIS} {COMMAND} {KEY[:20]} {b64encode(f'u:{KEY}'.encode()).decode()} {HEADER.encode().hex()}"
WORDS = ("CANARY", KEY[5:], b64encode(f"u:{KEY}".encode()).decode()[4:24], HEADER.encode().hex()[:16])
USAGE = {"prompt_tokens": 5, "completion_tokens": 2}


class Said(NamedTuple):
    """One answer of the provider."""

    status: int
    body: Mapping[str, Any] | str
    headers: Mapping[str, str] = {}


def answer(content: str = "Fine.", **members: Any) -> dict[str, Any]:
    choice = {"index": 0, "message": {"content": content}, "finish_reason": members.pop("finish", "stop")}
    return {"id": "c", "model": "m", "choices": [choice], "usage": USAGE, **members}


PLACES = {
    "message and codes": Said(401, {"error": {"message": ECHO, "code": ECHO, "type": ECHO, "param": ECHO}, "request_id": ECHO}),
    "details": Said(422, {"detail": [{"loc": ["header", ECHO], "msg": ECHO}]}),
    "page": Said(403, f"<html><title>{ECHO}</title><pre>{ECHO}</pre>"),
    "error in a 200": Said(200, {"error": {"message": ECHO, "code": ECHO}}),
    "error of a stream": Said(200, f'event: error\ndata: {{"error": {{"message": "{ECHO}"}}}}\n\n', {"content-type": "text/event-stream"}),
    "model, ids and tier": Said(200, answer(model=ECHO, id=ECHO, request_id=ECHO, service_tier=ECHO)),
    "finish value": Said(200, answer(finish=ECHO)),
    "headers": Said(
        500, {"error": {"message": "x"}}, dict.fromkeys(("x-request-id", "x-portkey-trace-id", "x-portkey-cache-status"), ECHO)
    ),
    "headers of an answer": Said(200, answer(), dict.fromkeys(("x-litellm-call-id", "x-litellm-cache-status", "retry-after"), ECHO)),
    "address of a redirect": Said(307, "", {"location": f"http://{ECHO.replace(' ', '.')}/x"}),
    "encoding": Said(200, "x", {"content-encoding": KEY}),
}  # fmt: skip


@pytest.fixture
def echoing(home: Path) -> Iterator[Callable[[Said], None]]:
    """Serve an answer to a provider that has secrets in every place one may stand."""

    class Handler(BaseHTTPRequestHandler):
        said: Said

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            body = (self.said.body if isinstance(self.said.body, str) else json.dumps(self.said.body)).encode()
            self.send_response(self.said.status)
            for name, value in {**self.said.headers, "content-length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Write nothing to stderr."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        printing = json.dumps([sys.executable, "-c", f"print('{COMMAND}')"])
        (home / "profiles.toml").write_text(
            f'[providers.one]\nwire = "openai-chat"\nbase_url = "http://127.0.0.1:{server.server_address[1]}/v1"\n'
            f'api_key_env = "K"\nheaders = {{ x-team = "{HEADER}" }}\n'
            f'extra_body = {{ aws = {{ secret_access_key = "{BODY}" }}, note = "{BODY}" }}\n'
            f'[providers.two]\nwire = "openai-chat"\nbase_url = "http://127.0.0.1:{server.server_address[1]}/v1"\n'
            f"api_key_command = {printing}\n"
            '[models.one]\nprovider = "one"\nprice = { input = "1", output = "2" }\n'
            '[models.two]\nprovider = "two"\nprice = { input = "1", output = "2" }\n'
            '[profiles.main]\nmodels = ["two", "one"]\nstrategy = "ordered"\nretries = 1\n'
            f'[cache]\nredis_url = "redis://user:{REDIS}@127.0.0.1:1/0"\nredis_timeout_s = 0.2\n'
        )

        def serve(said: Said) -> None:
            Handler.said = said

        yield serve
        server.shutdown()
        thread.join()


def kept(home: Path) -> str:
    """Return everything that stands in files, the user's own aside."""
    files = (path for path in home.rglob("*") if path.is_file() and path.name != "profiles.toml")
    return "\n".join(path.read_bytes().decode("utf-8", "replace") for path in files)


@pytest.mark.parametrize("place", PLACES)
def test_nothing_is_shown_or_stored(echoing: Callable[[Said], None], deepsel: Deepsel, home: Path, place: str) -> None:
    """Keys, a command's key, headers, members of the body and Redis passwords stay out, of each of them their encoded forms too."""
    echoing(PLACES[place])
    ran = [deepsel("ask", "-v", "q", env={"K": KEY})]
    if PLACES[place].status == 200:
        ran += [deepsel(*words, env={"K": KEY}) for words in (("ask", "--json", "r"), ("stats", "--json"), ("cache", "export", "-"))]
    text = "\n".join(one.out + one.err for one in ran) + kept(home)
    assert not [word for word in WORDS if word.lower() in text.lower()]
    assert "Traceback" not in text


def test_an_answer_that_holds_the_key_is_given_and_not_kept(echoing: Callable[[Said], None], deepsel: Deepsel, home: Path) -> None:
    """What was paid for is printed as it came, with a warning; neither cache nor memo has it."""
    echoing(Said(200, answer(f"Your key is {KEY}.")))
    for _ in range(2):
        ran = deepsel("ask", "q", "-m", "one", "--no-stream", env={"K": KEY})
        assert (ran.code, ran.out) == (0, f"Your key is {KEY}.\n")
        assert "it was not stored" in ran.err
        assert KEY not in ran.err + kept(home)


def test_a_credential_of_the_body_is_in_no_plan(echoing: Callable[[Said], None], deepsel: Deepsel, home: Path) -> None:
    """The key document holds digests in its place, so that another credential is another request."""
    echoing(Said(200, answer()))
    plans = [deepsel("ask", "q", "-m", "one", "--explain", "--json", env={"K": KEY})]
    file = home / "profiles.toml"
    file.write_text(file.read_text().replace(f'secret_access_key = "{BODY}"', 'secret_access_key = "other"'))
    plans.append(deepsel("ask", "q", "-m", "one", "--explain", "--json", env={"K": KEY}))
    assert not [plan for plan in plans if "CANARY" in plan.out + plan.err]
    assert plans[0].record()["cache"]["key"] != plans[1].record()["cache"]["key"]
