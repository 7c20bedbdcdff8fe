"""The data files are the ones the manifest names, whole and in the order a look-up by bisection needs."""

from __future__ import annotations

import hashlib
import json
import struct
from bisect import bisect_left
from pathlib import Path

import pytest

import deepsel
from deepsel.tokens import NAMES, encoding

DATA = Path(deepsel.__file__).parent / "tokens" / "data"
MANIFEST = json.loads((DATA / "manifest.json").read_text("utf-8"))
NOTICE = (Path(__file__).parents[2] / "NOTICE").read_text("utf-8")


def test_manifest_names_every_vocabulary() -> None:
    """There is one row for each vocabulary, and one file for each row."""
    assert set(MANIFEST) == set(NAMES) == {path.stem for path in DATA.glob("*.vocab")}


@pytest.mark.parametrize("name", NAMES)
def test_file_is_the_one_named(name: str) -> None:
    """A file has the hash and the number of tokens of its row."""
    assert hashlib.sha256((DATA / f"{name}.vocab").read_bytes()).hexdigest() == MANIFEST[name]["sha256"]
    loaded = encoding(name)
    assert loaded is not None
    assert len(loaded.encoding.token_byte_values()) == MANIFEST[name]["tokens"]


@pytest.mark.parametrize("name", NAMES)
def test_one_token_can_be_looked_up(name: str) -> None:
    """Tokens of one length stand sorted, their ids in the same order, so that bisection finds one without reading the rest."""
    data = (DATA / f"{name}.vocab").read_bytes()
    (groups,) = struct.unpack_from("<I", data, 8)
    sizes = list(struct.iter_unpack("<II", data[12 : 12 + 8 * groups]))
    ids_at = 12 + 8 * groups
    at = ids_at + 4 * sum(number for _, number in sizes)
    loaded = encoding(name)
    assert loaded is not None
    for length, number in sizes:
        tokens = [data[at + length * i : at + length * (i + 1)] for i in range(number)]
        assert tokens == sorted(set(tokens))
        index = bisect_left(tokens, tokens[number // 2])
        (rank,) = struct.unpack_from("<I", data, ids_at + 4 * index)
        assert loaded.encoding.decode_single_token_bytes(rank) == tokens[index]
        at += length * number
        ids_at += 4 * number
    assert at == len(data)


@pytest.mark.parametrize("name", NAMES)
def test_licence_is_noted(name: str) -> None:
    """NOTICE names every file with its holder and licence."""
    row = MANIFEST[name]
    assert f"{name}.vocab" in NOTICE
    assert row["holder"] in NOTICE
    assert {"MIT": "MIT License", "Apache-2.0": "Apache License, Version 2.0"}[row["licence"]] in NOTICE
