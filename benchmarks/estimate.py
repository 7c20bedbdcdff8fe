"""Writes benchmarks/estimate.md: how fast `estimate` reads a tree and a file, beside bare tiktoken and other counters.

    python benchmarks/estimate.py tree                          # the whole command against tiktoken alone: the ratio
    python benchmarks/estimate.py file                          # each vocabulary alone, MB/s and memory
    python benchmarks/estimate.py peers --peers VENV/bin/python # a Python with ttok, tokencost and litellm

Each rewrites its own table and leaves the rest of the page. The tree is made of distinct text files of this Python's library and
packages; the file, of the samples in all their languages and Python's library, whole documents in random order. Seeds are fixed.
Each run is a process of its own, with its start and the loading of the vocabularies.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import os
import platform
import random
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterator
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from deepsel.tokens import encoding  # noqa: E402  the checkout is measured, installed or not

TARGET = ROOT / "benchmarks" / "estimate.md"
CATALOG = ("o200k_base", "deepseek", "qwen", "qwen35", "tekken")
"""The exact vocabularies of the catalog's models; the rest are estimates, made from these."""
EXACT = ("cl100k_base", "o200k_base", "deepseek", "qwen", "qwen35", "tekken")
PEER_MB = 8
KINDS = frozenset({
    ".c", ".css", ".h", ".html", ".js", ".json", ".md", ".py", ".pyi", ".pyx", ".rst", ".sh", ".toml", ".ts", ".txt", ".yaml", ".yml",
})  # fmt: skip
TABLE_HEAD = ("| counter | MB | tokens | MB/s of CPU | MB/s of wall time | s | peak MB |", "|---|---|---|---|---|---|---|")
PEERS = ("ttok", "tokencost", "litellm")

# What each child runs; it prints nothing but what it counted. `path` is its argument, `rest` what else was given.
CHILDREN = {
    "deepsel": """
from deepsel.estimate.reading.read import read
names, processes = rest[0].split(","), int(rest[1])
reading = read([path], vocabularies=names, processes=processes)
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
    "command": """
import sys
from deepsel.__main__ import main
sys.argv = ["deepsel", "estimate", path, "--quiet"]
main()
""",
    "alone": """
import os
from deepsel.tokens import encoding
encoders = [encoding(name).encoding for name in rest]
totals = [0] * len(rest)
for folder, _, names in os.walk(path):
    for name in names:
        with open(os.path.join(folder, name), encoding="utf-8", newline="") as file:
            text = file.read()
        totals = [total + len(encoder.encode_ordinary(text)) for total, encoder in zip(totals, encoders)]
print(*totals)
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
import os, resource, sys
own, others = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
print(sum(os.times()[:4]), max(own.ru_maxrss, others.ru_maxrss) / 1024, file=sys.stderr)
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


def write_tree(folder: Path, size_mb: float) -> float:
    """Fill a folder with distinct UTF-8 files of this Python's library and packages, in random order; return its MB."""
    roots = {Path(sysconfig.get_path(name)) for name in ("stdlib", "purelib", "platlib")}
    found = {path for root in roots for path in root.rglob("*") if path.suffix in KINDS and path.is_file()}
    paths = sorted(path for path in found if 200 < path.stat().st_size < 400_000)
    random.Random(7).shuffle(paths)  # noqa: S311  has to be reproducible, guards nothing
    seen: set[bytes] = set()
    size = 0
    for number, path in enumerate([*sorted((ROOT / "samples").rglob("*.*")), *paths]):
        content = path.read_bytes()
        if size >= size_mb * 1e6 or content in seen or not is_text(content):
            continue
        seen.add(content)
        size += len(content)
        target = folder / f"{number % 500}" / f"{number}{path.suffix}"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    return size / 1e6


def is_text(content: bytes) -> bool:
    """Return whether bytes are UTF-8 without the characters that make a file binary."""
    try:
        return content.decode().isprintable() or not set(content) & set(range(7))
    except UnicodeDecodeError:
        return False


def tree(size_mb: float, rounds: int, folder: Path) -> list[str]:
    """Run the whole command and tiktoken alone in turn, and compare the medians."""
    root = folder / "tree"
    size_mb = write_tree(root, size_mb)
    files = sum(len(names) for _, _, names in os.walk(root))
    lines = [
        f"{files:,} files, {size_mb:.0f} MB, {rounds} rounds in turn; {machine()}",
        "",
        "| | s, median | s, each | MB/s | user and system s | peak MB of the largest process |",
        "|---|---|---|---|---|---|",
    ]
    plans = {
        "`deepsel estimate TREE --quiet`": ("command", ()),
        f"tiktoken alone, {len(CATALOG)} vocabularies, one process": ("alone", CATALOG),
    }
    found: dict[str, list[dict[str, float | str]]] = {label: [] for label in plans}
    for _ in range(rounds):
        for label, (child, rest) in plans.items():
            found[label].append(run(sys.executable, child, root, *rest, cache=folder))
            print(label, found[label][-1], os.getloadavg(), flush=True)
    medians = []
    for label, results in found.items():
        walls = [float(one["wall_s"]) for one in results]
        medians.append(statistics.median(walls))
        cpu = statistics.median(float(one["cpu_s"]) for one in results)
        peak = max(float(one["peak_mb"]) for one in results)
        each = ", ".join(f"{wall:.1f}" for wall in walls)
        lines.append(f"| {label} | {medians[-1]:.1f} | {each} | {size_mb / medians[-1]:.1f} | {cpu:.1f} | {peak:.0f} |")
    return [*lines, "", f"**{medians[1] / medians[0]:.2f} times as fast** as tiktoken alone."]


def table(size_mb: float, large_mb: float, folder: Path) -> list[str]:
    """Measure each vocabulary alone on a file, then all together on a larger one."""
    lines = [machine(), "", *TABLE_HEAD]
    for size, plan in ((size_mb, _own()), (large_mb, _all())):
        lines += rows(size, plan, sys.executable, folder)
    return lines


def peers(python: str, folder: Path) -> list[str]:
    """Measure other counters beside ours."""
    seed_tiktoken(folder)
    return [machine(), "", *TABLE_HEAD, *rows(PEER_MB, _peers(), python, folder)]


def rows(size_mb: float, plan: list[tuple[str, str, tuple[str, ...]]], python: str, folder: Path) -> Iterator[str]:
    """Yield a line of the table for each counter on one file."""
    path = folder / "mixed.txt"
    write_corpus(path, size_mb)
    for label, child, rest in plan:
        by = python if child in PEERS else sys.executable
        line = row(label, path.stat().st_size / 1e6, run(by, child, path, *rest, cache=folder))
        print(line, flush=True)
        yield line


def _own() -> list[tuple[str, str, tuple[str, ...]]]:
    """(label, child, arguments) of each vocabulary alone."""
    ours = [(f"deepsel, {name}, 1 process", "deepsel", (name, "1")) for name in EXACT]
    return ours + [(f"bare tiktoken, {name}", "bare", (name,)) for name in EXACT]


def _all() -> list[tuple[str, str, tuple[str, ...]]]:
    return [("deepsel, all six, 2 processes", "deepsel", (",".join(EXACT), "2"))]


def _peers() -> list[tuple[str, str, tuple[str, ...]]]:
    models = ("gpt-4o", "deepseek/deepseek-chat", "mistral/mistral-large-latest")
    return [
        ("deepsel, o200k_base, 1 process", "deepsel", ("o200k_base", "1")),
        ("ttok (gpt-4o)", "ttok", ()),
        ("tokencost (gpt-4o)", "tokencost", ()),
        *((f"litellm ({model})", "litellm", (model,)) for model in models),
    ]


def machine() -> str:
    """Say what this was measured on."""
    versions = ", ".join(f"{name} {version(name)}" for name in ("tiktoken", "cld3-py"))
    fast = "" if find_spec("splintr") is None else ", with the extra `fast`"
    return f"Python {platform.python_version()}, {versions}{fast}, {platform.system()} {platform.machine()}, {os.cpu_count()} cores."


def replace_part(name: str, lines: list[str]) -> None:
    """Put lines in the place of a part of the page."""
    start, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->\n"
    before, _, rest = TARGET.read_text("utf-8").partition(start)
    TARGET.write_text(before + start + "\n".join([*lines, ""]) + end + rest.partition(end)[2], "utf-8")


def main() -> None:
    """Measure one part, print it and write it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("part", choices=("tree", "file", "peers"))
    parser.add_argument("--mb", type=float, help="of the tree (100), or of the file for each single vocabulary (40)")
    parser.add_argument("--large-mb", type=float, default=300, help="of the file for all vocabularies at once")
    parser.add_argument("--rounds", type=int, default=3, help="of the tree")
    parser.add_argument("--peers", default=sys.executable, help="a Python that has ttok, tokencost and litellm")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if options.part == "tree":
            lines = tree(options.mb or 100, options.rounds, folder)
        elif options.part == "file":
            lines = table(options.mb or 40, options.large_mb, folder)
        else:
            lines = peers(options.peers, folder)
    print("\n".join(lines))
    replace_part(options.part, lines)


if __name__ == "__main__":
    main()
