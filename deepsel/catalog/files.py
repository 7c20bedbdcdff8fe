"""Reads the catalog's data files, each once a process; knows nothing of what is in them."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

DATA = Path(__file__).with_name("data")


@cache
def read_data(name: str) -> dict[str, Any]:
    """Return the parsed content of a data file; shared, so never to be changed."""
    content: dict[str, Any] = json.loads((DATA / name).read_bytes())
    return content
