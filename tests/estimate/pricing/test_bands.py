"""Requests of one file are priced each by its own size."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

from deepsel.catalog import Catalog
from deepsel.estimate.records import SIZE_BOUNDS

CATALOG = Catalog()


def test_the_bounds_are_the_catalogs() -> None:
    """Every prompt size at which a price of the catalog changes is one that requests are told apart by."""
    bounds = {rule.up_to_input_tokens for model in CATALOG.models.values() for rule in model.prices}
    assert {bound for bound in bounds if bound is not None} <= set(SIZE_BOUNDS)
    assert list(SIZE_BOUNDS) == sorted(SIZE_BOUNDS)


def test_a_large_request_does_not_make_small_ones_dear(deepsel: Callable[..., Any], tmp_path: Path) -> None:
    """One request over a bound pays the higher tier, the others of its file do not; output is shared by requests."""
    path = tmp_path / "mix.jsonl"
    small = [{"id": str(number), "prompt": "word " * 1_000} for number in range(20)]
    path.write_text("\n".join(json.dumps(row) for row in [{"id": "l", "prompt": "word " * 300_000}, *small]))
    arguments = ("estimate", str(path), "-m", "gpt-6-luna", "--format", "json", "--output-tokens", "100")
    row = deepsel(*arguments).record()["rows"][0]
    model = CATALOG.find_model("gpt-6-luna")
    read = row["input_tokens"] - 21 * (model.framing_tokens or 0)
    large = read - 20 * round((read - 300_000) / 20)
    total = Decimal(row["input_tokens"])
    dear, cheap = Decimal("0.20"), Decimal("0.10")
    expected = (large * dear + (total - large) * cheap) / 10**6
    assert abs(Decimal(row["input_usd"]) - expected) < Decimal("0.0001")
    assert Decimal(row["output_usd"]) == (100 * Decimal("0.75") + 2_000 * Decimal("0.50")) / 10**6


def test_a_check_of_nothing_fails(deepsel: Callable[..., Any], tmp_path: Path) -> None:
    """A limit that nothing was held against is no pass."""
    (tmp_path / "x.bin").write_bytes(bytes(range(256)))
    ran = deepsel("estimate", str(tmp_path / "x.bin"), "--max-cost", "1", "-m", "gpt-6-luna")
    assert ran.code == 9
    assert "nothing was counted" in ran.err
