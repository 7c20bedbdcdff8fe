"""Reads random answers of the wires from a socket, and holds what is read against what was meant.

    python scripts/fuzz/stream.py [RUNS] [FIRST_SEED]

Each run ends with a whole answer or a failure of a known class, in bounded time and memory; no text that was not meant is
given, and none that came is lost. What fails is printed with its seed. 20,000 runs take some minutes.
"""

from __future__ import annotations

import resource
import socket
import sys
import threading
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parent))
from answers import MadeAnswer, make

from deepsel import tokens
from deepsel.catalog import Catalog
from deepsel.clock import SystemClock
from deepsel.engine.attempt import Draft, judge, settle, settle_failed
from deepsel.engine.checks.schema import TimeLeft
from deepsel.errors import AttemptFailed
from deepsel.providers.calls import Outgoing, Timeouts
from deepsel.providers.complete import stream_answer
from deepsel.providers.transport import HttpTransport
from deepsel.secret import Secret
from deepsel.surrogates import without_surrogates
from deepsel.values import JsonObject, Model, PriceRule, Provider, Source

MOST_S = 10.0
"""That one run may take."""
MOST_GROWTH_KB = 200_000
"""By which the process may grow over all runs."""
_RULE = PriceRule(Decimal(1), Decimal(2), cached_input=Decimal("0.1"), source="fuzz")
_MODEL = Model("m", "host", "m", context_window=32_000, vocabulary=None, prices=(_RULE,))
_COUNT = tokens.Count(7, Source.COUNTED, 0.0, "fuzz")
_BODY: JsonObject = {"model": "m", "messages": [{"role": "user", "content": "What colour is the sky?"}]}


class Player:
    """Plays the answer it was given to each connection, on loopback."""

    def __init__(self) -> None:
        self.answer: MadeAnswer | None = None
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        """Listen no more."""
        self._socket.close()

    def _serve(self) -> None:
        while True:
            try:
                one, _ = self._socket.accept()
            except OSError:
                return
            try:
                self._play(one)
            except OSError:
                continue  # the reader has left
            finally:
                one.close()

    def _play(self, one: socket.socket) -> None:
        one.settimeout(MOST_S)
        one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        asked = b""
        while b"\r\n\r\n" not in asked or not asked.endswith(b"}"):
            piece = one.recv(65536)
            if not piece:
                return
            asked += piece
        assert self.answer is not None
        one.sendall(self.answer.head)
        for chunk in self.answer.chunks:
            one.sendall(chunk)
        one.shutdown(socket.SHUT_WR)
        while one.recv(65536):
            pass


class Ended(NamedTuple):
    """How one run ended."""

    draft: Draft
    failure: AttemptFailed | None
    seconds: float
    cost_usd: Decimal | None


class Runner:
    """Reads answers one after another."""

    def __init__(self, player: Player, transport: HttpTransport) -> None:
        self._player, self._transport, self._clock = player, transport, SystemClock()
        self._catalog = Catalog()

    def run(self, made: MadeAnswer) -> Ended:
        """Read one answer; raises whatever is no failure of a known class."""
        self._player.answer = made
        host = Provider("host", made.wire, f"http://127.0.0.1:{self._player.port}")
        began = self._clock.monotonic()
        draft = Draft(_MODEL, host, 100_000, datetime.now(UTC), began, self._catalog, sent_bytes=120)
        timeouts = Timeouts(deadline=began + MOST_S)
        failure = None
        try:
            outgoing = Outgoing(host, Secret("sk-fuzz-0123456789"), dict(_BODY), is_stream=made.is_stream)
            for event in stream_answer(self._transport, outgoing, timeouts=timeouts, clock=self._clock):
                draft.take(event, began)
            draft.join()
            judge(draft, None, TimeLeft.of(MOST_S))
        except AttemptFailed as error:
            draft.join()
            failure = error
        settled = settle(draft, _COUNT) if failure is None else settle_failed(draft, failure, _COUNT)
        return Ended(draft, failure, time.monotonic() - began, settled.cost_usd)


@contextmanager
def runner() -> Iterator[Runner]:
    """Start what answers are played with."""
    player = Player()
    try:
        with HttpTransport(SystemClock(), env={}) as transport:
            yield Runner(player, transport)
    finally:
        player.close()


def fault(made: MadeAnswer, ended: Ended) -> str:
    """Say what is wrong with how an answer was read; empty where nothing is."""
    if ended.seconds > MOST_S:
        return f"it took {ended.seconds:.1f} s"
    if ended.cost_usd is not None and not 0 <= ended.cost_usd < 4:
        return f"it cost {ended.cost_usd}"
    if made.damage in ("junk", "flips"):
        return ""  # nobody knows what it means
    meant, got = without_surrogates(made.text), ended.draft.text
    is_certain = not ended.draft.doubts and "broken off" not in made.forms
    if made.damage == "cut":
        is_meant = meant.startswith(got) or "<think>".startswith(got) or "repeated" in made.forms
        if is_certain and not got.startswith(without_surrogates(made.least)):
            return f"lost of what came: {made.least[len(got) - 20 :]!r}"
        return "" if is_meant or not is_certain else f"text nobody meant: {got[-60:]!r}"
    if got != meant and is_certain:
        return f"meant {meant[-60:]!r}, read {got[-60:]!r}"
    wanted = {"complete": None, "unknown": None, "length": "truncated"}[made.ends]
    found = ended.failure.error_class if ended.failure else None
    if found != wanted and "broken off" not in made.forms:
        return f"ended with {found}, not {wanted}: {ended.failure.message if ended.failure else ''}"
    if made.reasoning and is_certain and ended.draft.reasoning.strip() != without_surrogates(made.reasoning).strip():
        return f"meant to think {made.reasoning[-60:]!r}, read {ended.draft.reasoning[-60:]!r}"
    return ""


def main(runs: int, first: int) -> int:
    """Run, print what failed and how the rest ended; returns how many failed."""
    began, before, failed = time.monotonic(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, 0
    classes = Counter[str]()
    with runner() as one:
        for seed in range(first, first + runs):
            made = make(seed)
            try:
                ended = one.run(made)
                problem = fault(made, ended)
                doubt = ", doubted" if ended.draft.doubts else ""
                classes[f"{ended.failure.error_class if ended.failure else 'whole'}{doubt}"] += 1
            except Exception:  # noqa: BLE001  # this is what is looked for
                problem = traceback.format_exc()
            if problem:
                failed += 1
                print(f"seed {seed} ({made.wire}, {made.damage or 'good'}, {', '.join(made.forms)}): {problem}")
    grown_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    print(f"{runs} runs in {time.monotonic() - began:.0f} s, {failed} failed, grown by {grown_kb // 1024} MB: {dict(classes)}")
    return failed + (grown_kb > MOST_GROWTH_KB)


if __name__ == "__main__":
    numbers = [int(argument) for argument in sys.argv[1:]]
    sys.exit(min(1, main(*(numbers + [20_000, 0][len(numbers) :]))))
