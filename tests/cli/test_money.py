"""Money under bad days, over real processes and sockets: charges that cannot be, bills that are lost, logs that are damaged."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

Deepsel = Callable[..., Any]
ANSWER = (
    '{"id":"c","model":"one","choices":[{"index":0,"message":{"role":"assistant","content":"Fine."},"finish_reason":"stop"}],'
    '"usage":{"prompt_tokens":8,"completion_tokens":2,"total_tokens":10%s}}'
)
LIST_PRICE = Decimal("0.000012")


class Provider(ThreadingHTTPServer):
    """Answers each request after `delay_s`, with what is put into its usage and head."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.usage, self.delay_s, self.calls, self.status = "", 0.0, 0, 200
        self.head: dict[str, str] = {}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"


class _Handler(BaseHTTPRequestHandler):
    server: Provider

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.server.calls += 1
        time.sleep(self.server.delay_s)
        body = (ANSWER % self.server.usage).encode()
        self.send_response(self.server.status)
        for name, value in {"content-type": "application/json", "content-length": str(len(body)), **self.server.head}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def provider(profiles: Callable[..., Path]) -> Iterator[Provider]:
    """A provider whose model `one` has a budget of five dollars."""
    server = Provider()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    profiles(one=server.url, profile='daily_budget_usd = "5"\nretries = 0\nmax_tokens = 100')
    yield server
    server.shutdown()
    server.server_close()


def _sql(home: Path, statement: str) -> Any:
    with closing(sqlite3.connect(home / "data" / "observations.sqlite")) as log, log:
        return log.execute(statement).fetchone()


CHARGES = ['"1e999999"', "1e20", "-5", '"1_000"', "true", "9" * 400, "9" * 5000, '"0x10"']


@pytest.mark.parametrize("charge", CHARGES, ids=lambda one: one[:12])
def test_a_charge_that_cannot_be_costs_the_list_price(
    home: Path, deepsel: Deepsel, provider: Provider, charge: str
) -> None:
    """The answer comes, exit 0; a warning names the member, and the budget is told of the list price."""
    provider.usage = f',"cost":{charge}'
    ran = deepsel("ask", "--no-cache", "--json", "Hi")
    record = ran.record()
    assert (ran.code, record["text"], record["cost_usd"]) == (0, "Fine.", str(LIST_PRICE))
    assert [one["code"] for one in record["warnings"]] == ["cost_odd"]
    assert _sql(home, "SELECT picousd FROM spend") == (int(LIST_PRICE * 10**12),)


def test_a_header_that_cannot_be_a_charge_is_told(deepsel: Deepsel, provider: Provider) -> None:
    """What a gateway states in its head is read by the same rule."""
    provider.head = {"x-litellm-response-cost": "1e40"}
    record = deepsel("ask", "--no-cache", "--no-stream", "--json", "Hi").record()
    assert (record["text"], record["cost_usd"]) == ("Fine.", str(LIST_PRICE))
    assert "x-litellm-response-cost" in record["warnings"][0]["message"]


@pytest.mark.parametrize("charge", ["999999", "1000000"])
def test_the_largest_charge_is_a_bill(home: Path, deepsel: Deepsel, provider: Provider, charge: str) -> None:
    """Where no list price says that it cannot be, it is kept whole, closes the budget, and is shown."""
    provider.usage = f',"cost":{charge}'
    file = home / "profiles.toml"
    lines = [line for line in file.read_text().splitlines() if not line.startswith("price")]
    file.write_text("\n".join(lines).replace("retries = 0", 'retries = 0\nunknown_price = "allow"'))
    assert deepsel("ask", "--no-cache", "Hi").code == 0
    assert _sql(home, "SELECT picousd FROM spend") == (int(charge) * 10**12,)
    assert deepsel("ask", "--no-cache", "Hi").code == 7
    assert deepsel("stats").code == 0


SETTINGS = [
    'daily_budget_usd = "1e999999"',
    'max_cost_usd = "1000001"',
    'monthly_budget_usd = "٣"',
    'daily_budget_usd = "1_000"',
    'max_cost_usd = "0.0000000000001"',
]


@pytest.mark.parametrize("setting", SETTINGS)
def test_a_limit_that_nobody_means_is_refused(deepsel: Deepsel, profiles: Callable[..., Path], setting: str) -> None:
    """Exit 3, with the line: a budget that cannot be kept is no budget."""
    profiles(one="http://127.0.0.1:1/v1", profile=setting)
    ran = deepsel("stats")
    assert (ran.code, setting.split()[0] in ran.err) == (3, True)


def _killed_after_sending(provider: Provider) -> None:
    """Ask, and kill the process once the provider has the request."""
    before = provider.calls
    process = subprocess.Popen(
        [sys.executable, "-m", "deepsel", "ask", "--no-cache", "Hi"],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    while provider.calls == before:
        assert process.poll() is None
        time.sleep(0.005)
    process.kill()
    process.wait()


def test_what_was_sent_and_never_billed_stays_spent(home: Path, deepsel: Deepsel, provider: Provider) -> None:
    """A process that is killed leaves its reservation as unsettled spend, of which `stats` tells in each of its forms."""
    path = home / "profiles.toml"
    path.write_text(path.read_text().replace('daily_budget_usd = "5"', 'daily_budget_usd = "0.0004"'))
    provider.delay_s = 2.0
    _killed_after_sending(provider)
    (reserved,) = _sql(home, "SELECT picousd FROM holds")
    _sql(home, "UPDATE holds SET expires_at = 1")  # its time is over
    provider.delay_s = 0.0
    assert deepsel("ask", "--no-cache", "Hi").code == 7
    told = deepsel("stats", "--json").record()
    assert told["unsettled"] == {"calls": 1, "usd": f"{Decimal(reserved) / 10**12:f}"}
    [budget] = told["budgets"]
    assert Decimal(budget["spent_usd"]) >= Decimal(budget["unsettled_usd"]) == Decimal(reserved) / 10**12
    assert "unsettled $" in deepsel("stats").out
    assert "unsettled" in deepsel("stats", "--html").out


def test_a_log_that_is_locked_while_settling_forgets_no_bill(home: Path, deepsel: Deepsel, provider: Provider) -> None:
    """The answer comes with a warning; what was reserved stays spent until somebody settles it."""
    deepsel("ask", "--no-cache", "Hi")
    provider.delay_s = 1.0
    process = subprocess.Popen(
        [sys.executable, "-m", "deepsel", "ask", "--no-cache", "Hi"],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    while provider.calls < 2:
        time.sleep(0.005)
    with closing(sqlite3.connect(home / "data" / "observations.sqlite", isolation_level=None)) as log:
        log.execute("BEGIN IMMEDIATE")
        out, err = process.communicate(timeout=100)
        log.execute("ROLLBACK")
    assert (process.returncode, out) == (0, "Fine.\n")
    assert "database is locked" in err
    _sql(home, "UPDATE holds SET expires_at = 1")
    assert deepsel("stats", "--json").record()["unsettled"]["calls"] == 1


def test_a_wait_holds_no_more_than_was_billed(home: Path, profiles: Callable[..., Path], provider: Provider) -> None:
    """A process that is killed while it waits to ask again, as after a refusal that bills nothing, leaves nothing unsettled."""
    provider.status, provider.head = 429, {"retry-after": "30"}
    profiles(one=provider.url, profile='daily_budget_usd = "5"')
    process = subprocess.Popen(
        [sys.executable, "-m", "deepsel", "ask", "--no-cache", "Hi"], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    log = home / "data" / "observations.sqlite"
    while not (log.exists() and provider.calls and _sql(home, "SELECT MIN(picousd) FROM holds") == (0,)):
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert _sql(home, "SELECT SUM(picousd) FROM holds") == (0,)


def test_a_damaged_log_is_said_and_repaired(home: Path, deepsel: Deepsel, provider: Provider) -> None:
    """Under a budget nothing is sent, and the command that the message names mends it with what was spent."""
    assert deepsel("ask", "--no-cache", "Hi").code == 0
    _sql(home, "UPDATE spend SET picousd = -1000000000000")
    ran = deepsel("ask", "--no-cache", "Hi")
    assert (ran.code, "deepsel stats --repair" in ran.err) == (7, True)
    assert deepsel("stats").code == 0
    mended = deepsel("stats", "--repair", "--json")
    assert mended.code == 9
    assert len([json.loads(line) for line in mended.out.splitlines()]) == 1
    assert mended.record()["problems"][0] == "1 x no day's spend of deepsel's"
    assert deepsel("stats", "--repair").code == 0
    assert deepsel("ask", "--no-cache", "Hi").code == 0
    assert _sql(home, "SELECT picousd FROM spend") == (2 * int(LIST_PRICE * 10**12),)


@pytest.mark.parametrize("damage", ["no database", "["])
def test_a_damaged_record_of_the_cache_costs_no_report(home: Path, deepsel: Deepsel, provider: Provider, damage: str) -> None:
    """`cache stats` says what it knows, with a warning that names what mends it; after that all is well."""
    deepsel("ask", "Hi")
    (home / "cache" / "answers" / "tallies.db").write_text(damage * 999)
    ran = deepsel("cache", "stats", "--json")
    assert (ran.code, ran.record()["bought"], "deepsel cache verify" in ran.err) == (0, 1, True)
    assert deepsel("cache", "verify").code == 9
    assert deepsel("cache", "verify").code == 0
    ran = deepsel("cache", "stats")
    assert (ran.code, ran.err) == (0, "")


def test_refreshed_prices_that_cannot_be_read_are_said(home: Path, deepsel: Deepsel, provider: Provider) -> None:
    """The catalog's prices hold, the answer comes, and the warning names what mends it; one bad row is passed over."""
    (home / "data").mkdir()
    (home / "data" / "prices.json").write_text("[" * 5000)
    ran = deepsel("ask", "--no-cache", "Hi")
    assert (ran.code, "deepsel models --refresh" in ran.err) == (0, True)
    rows = {"deepseek-flash": {"prices": [{"input": "x"}]}, "other": 5, "third": {"id": 7}}
    (home / "data" / "prices.json").write_text(json.dumps({"as_of": "2099-01-01", "models": rows}))
    assert deepsel("models", "deepseek-flash").code == 0


def test_a_warm_call_that_is_ended_leaves_its_bill(home: Path, provider: Provider) -> None:
    """Ctrl-C while a model is kept warm: the call is `cancelled`, and what was reserved for it is settled."""
    provider.delay_s = 30.0
    process = subprocess.Popen(
        [sys.executable, "-m", "deepsel", "warm", "--every", "60s", "--for", "60s"],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    while not provider.calls:
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert _sql(home, "SELECT outcome FROM observations") == ("cancelled",)
    assert _sql(home, "SELECT COUNT(*) FROM holds") == (0,)
    assert _sql(home, "SELECT picousd > 0 FROM spend") == (1,)


def test_a_cap_cuts_the_length_that_is_sent(deepsel: Deepsel, simulate: Callable[..., Any], profiles: Callable[..., Path]) -> None:
    """What is sent can cost no more than the cap; a length that was asked for is sent as it is, or not at all."""
    server = simulate(text="Fine.")
    profiles(one=server, profile="max_tokens = 4096")
    ran = deepsel("ask", "--no-cache", "--max-cost", "0.002", "Write a poem")
    assert ran.code == 0, ran.err
    assert 900 <= server.calls[0].body["max_tokens"] <= 1000, "at 2 USD a million, less the prompt"
    assert deepsel("ask", "--no-cache", "--max-cost", "0.002", "--max-tokens", "4000", "Write a poem").code == 7
    assert deepsel("ask", "--no-cache", "--max-cost", "0.002", "--max-tokens", "900", "Write a poem").code == 0
    assert [call.body["max_tokens"] for call in server.calls[1:]] == [900]
