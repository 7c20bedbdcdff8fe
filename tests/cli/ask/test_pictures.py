"""Pictures and files under a cap or a budget: what can be bounded is held against it, what cannot is not sent."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

SEES = """
[models.sees]
provider = "one-host"
context_window = 32000
vocabulary = "o200k_base"
features = ["images"]
price = {{ input = "1", output = "2" }}
{pictures}
"""


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    """A picture of 1024 x 1024 pixels."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return len(body).to_bytes(4, "big") + kind + body + zlib.crc32(kind + body).to_bytes(4, "big")

    head = (1024).to_bytes(4, "big") * 2 + b"\x08\x00\x00\x00\x00"
    pixels = zlib.compress(bytes(1025 * 1024))
    path = tmp_path / "big.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", pixels) + chunk(b"IEND", b""))
    return path


def _asked(tmp_path: Path, part: dict[str, Any]) -> str:
    path = tmp_path / "messages.json"
    path.write_text(json.dumps([{"role": "user", "content": [{"type": "text", "text": "Describe it"}, part]}]))
    return str(path)


def test_a_cap_holds_against_what_the_maker_bills(
    deepsel: Callable[..., Any], simulate: Callable[..., Any], profiles: Callable[..., Path], picture: Path
) -> None:
    """25,501 tokens at $1 a million are over a cap of $0.02 and under one of $0.03; they take no room in a small window."""
    server = simulate(text="A square.")
    profiles(SEES.format(pictures='pictures = "openai-tiles-4o-mini"'), one=server)
    command = ("ask", "-m", "sees", "--max-tokens", "100", "-f", str(picture), "-f", str(picture), "Describe them", "--max-cost")
    over = deepsel(*command, "0.05")
    assert (over.code, server.calls) == (7, ())
    assert "up to $0.0512" in over.err
    assert deepsel(*command, "0.06").code == 0


def test_what_nobody_can_bound_is_refused_under_a_cap(
    deepsel: Callable[..., Any], simulate: Callable[..., Any], profiles: Callable[..., Path], picture: Path
) -> None:
    """A model of one's own without a rule: refused by name under a cap and under a budget, sent where there is neither."""
    server = simulate(text="A square.")
    profiles(SEES.format(pictures=""), one=server)
    command = ("ask", "--no-cache", "-m", "sees", "-f", str(picture), "Describe it")
    ran = deepsel(*command, "--max-cost", "5")
    assert (ran.code, server.calls) == (7, ())
    assert "nobody knows how many tokens it makes of pictures, and there is a limit of $5.00" in ran.err
    assert "`pictures`" in ran.err
    assert deepsel(*command).code == 0
    profiles(SEES.format(pictures=""), profile='daily_budget_usd = "5"', one=server)
    ran = deepsel(*command)
    assert ran.code == 7, ran.err
    assert "daily budget" in ran.err
    profiles(SEES.format(pictures=""), profile='daily_budget_usd = "5"\nunknown_price = "allow"', one=server)
    assert deepsel(*command).code == 0


def test_a_link_is_held_against_the_largest_it_can_be(
    deepsel: Callable[..., Any], simulate: Callable[..., Any], profiles: Callable[..., Path], tmp_path: Path
) -> None:
    """The size of a link is not known before it is fetched: its maker's largest picture has to be under the cap."""
    server = simulate(text="A square.")
    profiles(SEES.format(pictures='pictures = "claude-high"'), one=server)
    link = _asked(tmp_path, {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}})
    command = ("ask", "-m", "sees", "--max-tokens", "100", "--messages", link, "--max-cost")
    assert (deepsel(*command, "0.004").code, server.calls) == (7, ())
    assert deepsel(*command, "0.006").code == 0


def test_a_file_is_refused_under_a_cap(
    deepsel: Callable[..., Any], simulate: Callable[..., Any], profiles: Callable[..., Path], tmp_path: Path
) -> None:
    """How many pages a file has, and what each costs, nobody knows before it is sent."""
    server = simulate(text="A page.")
    profiles(SEES.format(pictures='pictures = "claude-high"'), one=server)
    pdf = _asked(tmp_path, {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBERg=="}})
    ran = deepsel("ask", "-m", "sees", "--messages", pdf, "--max-cost", "5")
    assert (ran.code, server.calls) == (7, ())
    assert "how many tokens it makes of files" in ran.err
    assert deepsel("ask", "-m", "sees", "--messages", pdf).code == 0
