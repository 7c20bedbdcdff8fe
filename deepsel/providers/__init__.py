"""Speaks with providers: the table of wires, one call from request to events, and what failures and limits they report.

The transport is imported by who makes one (`deepsel.providers.transport`), since it takes long to load.
"""

from deepsel.providers.calls import Call, ResponseFacts, Timeouts, sends_key_in_clear
from deepsel.providers.complete import stream_answer
from deepsel.providers.waits import Allowance, Quota
from deepsel.providers.wires import WIRES, Decoder, Wire

__all__ = [
    "WIRES",
    "Allowance",
    "Call",
    "Decoder",
    "Quota",
    "ResponseFacts",
    "Timeouts",
    "Wire",
    "sends_key_in_clear",
    "stream_answer",
]
