"""Writes benchmarks/estimate.md: MB/s and memory of `estimate`'s reading, beside bare tiktoken and other counters, in one run.

    python benchmarks/estimate.py --peers VENV/bin/python    # a Python with ttok, tokencost and litellm; without it, only ours

The text is mixed: the samples in all their languages and the modules of Python's library, whole documents in random order with a
fixed seed. Each line of the result is a process of its own, with its start and the loading of the vocabulary.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import os
import platform
import random
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from deepsel.tokens import encoding  # noqa: E402  the checkout is measured, installed or not

TARGET = ROOT / "benchmarks" / "estimate.md"
HEAD = """# How fast `estimate` reads, and in how much memory

Made by `python benchmarks/estimate.py --peers VENV/bin/python` in one run, a process for each line, its start included. MB are 10^6
bytes of UTF-8: documents in 39 languages and Python source, mixed. CPU is user and system time of the process; peak is the most
memory it ever held. `deepsel` also decodes, finds each paragraph's language and counts sentences: with one vocabulary more than half
of its time goes there on this text, whose short paragraphs are the worst case. Bare tiktoken only encodes slices of 128 Ki characters
with the same vocabulary, which miscounts by what the slices part. The others hold the whole text in memory, so they get a smaller
one; their vocabulary files were given to them, as they would download them.

"""
EXACT = ("cl100k_base", "o200k_base", "deepseek", "qwen", "qwen35", "tekken")
PEER_MB = 8
PEERS = ("ttok", "tokencost", "litellm")

# What each child runs; it prints nothing but what it counted. `path` is its argument, `rest` what else was given.
CHILDREN = {
    "deepsel": """
from deepsel.estimate.read import read
names, threads = rest[0].split(","), int(rest[1])
reading = read([path], vocabularies=names, threads=threads)
print(sum(piece.tokens[names[0]].tokens for one in reading.inputs for piece in one.pieces))
""",
    "bare": """
from deepsel.tokens import encoding
encoder = encoding(rest[0]).encoding
total = 0
with open(path, encoding="utf-8", newline="") as file:
    while text := file.read(131072):
        total += len(encoder.encode_ordinary(text))
print(total)
""",
    "ttok": """
import runpy, sys
sys.argv = ["ttok", "-m", "gpt-4o", "-i", path]
from ttok.cli import cli
cli()
""",
    "tokencost": """
from tokencost import count_string_tokens
print(count_string_tokens(open(path, encoding="utf-8").read(), "gpt-4o"))
""",
    "litellm": """
from litellm import token_counter
print(token_counter(model=rest[0], text=open(path, encoding="utf-8").read()))
""",
}
_PREFIX = "import sys\npath, *rest = sys.argv[1:]\n"
_SUFFIX = """
import time
peak_kb = next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(time.process_time(), int(peak_kb) / 1024, file=sys.stderr)
"""


def documents() -> list[str]:
    """Return the texts to mix: every sample in its language, and Python's library, about as many bytes of each."""
    texts = [path.read_text("utf-8") for path in sorted((ROOT / "samples").glob("*.txt"))]
    code = [path.read_text("utf-8") for path in sorted(Path(sysconfig.get_path("stdlib")).glob("*.py"))]
    return texts * (sum(map(len, code)) // sum(map(len, texts))) + code


def write_corpus(path: Path, size_mb: float) -> None:
    """Write documents in random order until the file is large enough."""
    texts = documents()
    source = random.Random(7)  # noqa: S311  has to be reproducible, guards nothing
    with path.open("w", encoding="utf-8", newline="") as file:
        while file.tell() < size_mb * 1e6:
            file.write("\n".join(source.choices(texts, k=100)) + "\n")


def seed_tiktoken(folder: Path) -> None:
    """Give tiktoken's own download cache OpenAI's files, made from ours, so that the others run without a network."""
    for name in ("o200k_base", "cl100k_base"):
        vocabulary = encoding(name)
        if vocabulary is None:
            raise SystemExit(f"the vocabulary {name} is missing")
        tokens = sorted((vocabulary.encoding.encode_single_token(token), token) for token in vocabulary.encoding.token_byte_values())
        lines = b"".join(base64.b64encode(token) + b" " + str(rank).encode() + b"\n" for rank, token in tokens)
        url = f"https://openaipublic.blob.core.windows.net/encodings/{name}.tiktoken"
        (folder / hashlib.sha1(url.encode()).hexdigest()).write_bytes(lines)  # noqa: S324  tiktoken names its files so


def run(python: str, child: str, path: Path, *rest: str, cache: Path) -> dict[str, float | str]:
    """Run one child and return its count, CPU seconds, wall seconds and peak memory; the error where it failed."""
    environment = {**os.environ, "TIKTOKEN_CACHE_DIR": str(cache), "LITELLM_LOCAL_MODEL_COST_MAP": "True", "PYTHONPATH": str(ROOT)}
    code = _PREFIX + "import atexit\natexit.register(lambda: exec('''" + _SUFFIX + "'''))\n" + CHILDREN[child]
    begin = time.perf_counter()
    command = [python, "-c", code, str(path), *rest]
    done = subprocess.run(  # noqa: S603  the children above
        command, capture_output=True, text=True, check=False, env=environment, timeout=1800
    )
    wall_s = time.perf_counter() - begin
    if done.returncode:
        return {"error": done.stderr.strip().splitlines()[-1][:100]}
    cpu_s, peak_mb = map(float, done.stderr.split()[-2:])
    return {"tokens": done.stdout.split()[-1], "cpu_s": cpu_s, "wall_s": wall_s, "peak_mb": peak_mb}


def row(name: str, size_mb: float, result: dict[str, float | str]) -> str:
    """Format one line of the table."""
    if "error" in result:
        return f"| {name} | {size_mb:.0f} | failed: {result['error']} | | | | |"
    cpu, wall = float(result["cpu_s"]), float(result["wall_s"])
    return (
        f"| {name} | {size_mb:.0f} | {int(result['tokens']):,} | {size_mb / cpu:.1f} | {size_mb / wall:.1f} "
        f"| {wall:.1f} | {float(result['peak_mb']):.0f} |"
    )


def measure(size_mb: float, large_mb: float, peers: str | None, folder: Path) -> Iterator[str]:
    """Yield the rows of the table."""
    seed_tiktoken(folder)
    path = folder / "mixed.txt"
    for size, plan in ((size_mb, _own()), (large_mb, _all()), (PEER_MB, _peers() if peers else [])):
        write_corpus(path, size)
        for label, child, rest in plan:
            python = peers if peers and child in PEERS else sys.executable
            yield row(label, path.stat().st_size / 1e6, run(python, child, path, *rest, cache=folder))


def _own() -> list[tuple[str, str, tuple[str, ...]]]:
    """(label, child, arguments) of each vocabulary alone."""
    ours = [(f"deepsel, {name}, 1 thread", "deepsel", (name, "1")) for name in EXACT]
    return ours + [(f"bare tiktoken, {name}", "bare", (name,)) for name in EXACT]


def _all() -> list[tuple[str, str, tuple[str, ...]]]:
    return [("deepsel, all six, 2 threads", "deepsel", (",".join(EXACT), "2"))]


def _peers() -> list[tuple[str, str, tuple[str, ...]]]:
    models = ("gpt-4o", "deepseek/deepseek-chat", "mistral/mistral-large-latest")
    return [
        ("deepsel, o200k_base, 1 thread", "deepsel", ("o200k_base", "1")),
        ("ttok (gpt-4o)", "ttok", ()),
        ("tokencost (gpt-4o)", "tokencost", ()),
        *((f"litellm ({model})", "litellm", (model,)) for model in models),
    ]


def main() -> None:
    """Measure, print and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mb", type=float, default=40, help="for each single vocabulary")
    parser.add_argument("--large-mb", type=float, default=300, help="for all vocabularies at once")
    parser.add_argument("--peers", help="a Python that has ttok, tokencost and litellm")
    options = parser.parse_args()
    lines = ["| counter | MB | tokens | MB/s of CPU | MB/s of wall time | s | peak MB |", "|---|---|---|---|---|---|---|"]
    with tempfile.TemporaryDirectory() as name:
        for line in measure(options.mb, options.large_mb, options.peers, Path(name)):
            print(line, flush=True)
            lines.append(line)
    machine = f"Python {platform.python_version()}, {platform.system()} {platform.machine()}, {os.cpu_count()} cores."
    TARGET.write_text(HEAD + "\n".join([*lines, "", machine, ""]), "utf-8")


if __name__ == "__main__":
    main()
