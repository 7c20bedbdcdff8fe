"""A loopback server that speaks the wires and can misbehave: for the demo, tests, and users' applications."""

from __future__ import annotations

from deepsel.simulator.catalogue import BUILT_IN
from deepsel.simulator.faults.table import FAULTS
from deepsel.simulator.records import CallLog, SeenCall
from deepsel.simulator.running import demo_server, run
from deepsel.simulator.scenario import Behaviour, Scenario, Section
from deepsel.simulator.server import Simulator

__all__ = [
    "BUILT_IN",
    "FAULTS",
    "Behaviour",
    "CallLog",
    "Scenario",
    "Section",
    "SeenCall",
    "Simulator",
    "demo_server",
    "load_scenario",
    "parse_scenario",
    "run",
]


def __getattr__(name: str) -> object:
    """Load the readers of scenario files when one is asked for: the demo needs none."""
    if name in ("load_scenario", "parse_scenario"):
        import deepsel.simulator.scenario_file as readers

        return getattr(readers, name)
    raise AttributeError(name)
