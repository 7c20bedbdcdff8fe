"""The last bench's figures: what is none of them is passed over, and nothing of it is waited for."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from deepsel.health.benches import FILE_NAME, Benches
from deepsel.values import Latency

GOOD = {"ttft_s": 0.5, "tokens_per_s": 60}


@pytest.mark.parametrize("row", [None, 5, [], {}, {"ttft_s": "x", "tokens_per_s": 1}, {**GOOD, "tokens_per_s": 0},
                                 {**GOOD, "ttft_s": -1}, {**GOOD, "ttft_s": 1e300}])  # fmt: skip
def test_one_bad_row_costs_no_other(tmp_path: Path, row: Any) -> None:
    """Figures of other types, and those that cannot be, are left out."""
    (tmp_path / FILE_NAME).write_text(json.dumps({"bad": row, "good": GOOD}))
    assert Benches(tmp_path).latest() == {"good": Latency(0.5, 60.0)}


@pytest.mark.parametrize("text", ["", "[" * 5000, "[1]", '{"a":', "9" * 5000, "\udcff"])
def test_a_file_that_is_none_is_nothing(tmp_path: Path, text: str) -> None:
    """Damage of any kind reads as no bench, and so does a pipe."""
    (tmp_path / FILE_NAME).write_bytes(text.encode("utf-8", "surrogateescape"))
    assert Benches(tmp_path).latest() == {}
    (tmp_path / FILE_NAME).unlink()
    os.mkfifo(tmp_path / FILE_NAME)
    assert Benches(tmp_path).latest() == {}
