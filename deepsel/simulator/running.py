"""Two ways to run the simulator: for as long as a terminal wants it, and beside the demo profile."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable

from deepsel.simulator.catalogue import BUILT_IN
from deepsel.simulator.scenario import Scenario
from deepsel.simulator.server import Simulator

_KEEP_CALLS = 2_000


def run(host: str, port: int, *, scenario: Scenario, on_ready: Callable[[Simulator], None]) -> None:
    """Serve until Ctrl-C or SIGTERM, then close everything and return; raise ConfigError where the port cannot be had.

    `on_ready` is called once the port is open. SIGTERM is heeded only where this is the main thread.
    """
    is_main = threading.current_thread() is threading.main_thread()
    previous = signal.signal(signal.SIGTERM, signal.default_int_handler) if is_main else None
    try:
        with Simulator(scenario, host=host, port=port, keep_calls=_KEEP_CALLS) as simulator:
            on_ready(simulator)
            threading.Event().wait()
    except KeyboardInterrupt:
        pass  # how this ends
    finally:
        if is_main:
            signal.signal(signal.SIGTERM, previous)


def demo_server() -> Simulator:
    """Start the demo's simulator on a free port in daemon threads; the caller stops it."""
    return Simulator(BUILT_IN["demo"]).start()
