"""Where the clients ask, and how their cases are run: each script names its server's address on its command line."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable

ROOT = sys.argv[1]
MODEL = sys.argv[2] if len(sys.argv) > 2 else "m"
WIRE = sys.argv[3] if len(sys.argv) > 3 else ""
"""Of the provider behind `serve`; empty: there is none between."""
HAS_VECTORS = WIRE != "anthropic-messages"
"""Whether the provider behind has embeddings, which one of the wires has not."""
OPENAI_URL, ANTHROPIC_URL = f"{ROOT}/v1", ROOT
KEY = "sk-of-a-client"
TOOL_NAME = "weather"
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"], "additionalProperties": False}
CASES: list[Callable[[], None]] = []


def case(function: Callable[[], None]) -> Callable[[], None]:
    """Keep a case."""
    CASES.append(function)
    return function


def run() -> None:
    """Run every case, say how each went, and end with 1 where one failed."""
    failed = 0
    for one in CASES:
        try:
            one()
        except Exception:  # noqa: BLE001 - whatever a client raises is what is told
            failed += 1
            print(f"FAILED {one.__name__}")
            traceback.print_exc(file=sys.stdout)
        else:
            print(f"ok     {one.__name__}")
    sys.exit(1 if failed else 0)
