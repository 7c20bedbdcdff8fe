"""A wire of the tests' own, with another path, body, stream, usage and error than any provider has."""

from __future__ import annotations

from toy_wire.answer import Decoder
from toy_wire.facts import END_MARKS, FORMAT, LENGTH_FIELDS, count_request
from toy_wire.request import encode, headers, is_deterministic, may_think, url, withheld

__all__ = [
    "END_MARKS",
    "FORMAT",
    "LENGTH_FIELDS",
    "Decoder",
    "count_request",
    "encode",
    "headers",
    "is_deterministic",
    "may_think",
    "url",
    "withheld",
]
