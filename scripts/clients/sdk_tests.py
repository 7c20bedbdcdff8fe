"""Run the OpenAI and Anthropic SDKs' own tests of what `deepsel serve` has, and hold the results against the list that is kept.

    python scripts/clients/sdk_tests.py --python VENV/bin/python [--write]

VENV has: openai anthropic pytest pytest-asyncio pytest-xdist respx dirty-equals time-machine nest-asyncio rich inline-snapshot
aiohttp httpx-aiohttp. The tests are those of the source packages of the versions installed there, fetched with pip. Each line of
tests/serve/sdk_tests.txt is one test and whether all its variants (sync and async, loose and strict) pass; `refused` is what is
answered with an error in the wire's own shape. `--write` rewrites the list; without it the end is 1 where something has changed.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tarfile
import tempfile
from collections import defaultdict
from pathlib import Path
from xml.etree import ElementTree

from standing import WIRES, standing

LIST = Path(__file__).parents[2] / "tests" / "serve" / "sdk_tests.txt"
TESTS = {
    "openai": (
        "/v1",
        *("chat/test_completions.py", "test_responses.py", "responses/test_input_tokens.py", "test_models.py", "test_embeddings.py"),
    ),
    "anthropic": ("", "test_messages.py", "test_models.py", "beta/test_messages.py", "beta/test_models.py"),
}
"""By package: what its base URL ends in, and the files under tests/api_resources."""
NAMES = ("gpt-6-astra", "claude-opus-5-5", "text-embedding-3-small", "model_id")
"""The models that the tests ask for, beside those that Anthropic's SDK calls deprecated."""
_DEPRECATED = "from anthropic.resources.messages.messages import DEPRECATED_MODELS as found; print(*found)"
OTHER_HTTP = "aiohttp"
"""Variants with another HTTP library say nothing more of a server."""


def main() -> int:
    """Run them; 1 where the list is not what it was."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", required=True)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    aliases = (*NAMES, *_output(options.python, "-c", _DEPRECATED).split())
    with tempfile.TemporaryDirectory() as folder, standing("model", wires=WIRES, aliases=aliases) as url:
        lines = [line for package in TESTS for line in _results(package, Path(folder), url, options.python)]
    found = "".join(f"{line}\n" for line in lines)
    kept = LIST.read_text() if LIST.exists() else ""
    print(f"{sum(line.endswith(' passed') for line in lines)} of {len(lines)} tests pass")
    for line in sorted(set(found.splitlines()) ^ set(kept.splitlines())):
        print(("+ " if line in found.splitlines() else "- ") + line)
    if options.write:
        LIST.write_text(found)
        return 0
    return 0 if found == kept else 1


def _results(package: str, folder: Path, url: str, python: str) -> list[str]:
    """Run a package's tests; one line a test, whatever its parameters, in the order of their names."""
    version = _output(python, "-c", f"import importlib.metadata as m; print(m.version('{package}'))").strip()
    _output(python, "-m", "pip", "download", "-q", "--no-deps", "--no-binary", package, "-d", str(folder), f"{package}=={version}")
    with tarfile.open(next(folder.glob(f"{package}-*.tar.gz"))) as archive:
        archive.extractall(folder, filter="data")
    root = next(path for path in folder.glob(f"{package}-*") if path.is_dir())
    end, *files = TESTS[package]
    report = folder / f"{package}.xml"
    subprocess.run(  # noqa: S603 - the interpreter that was named
        [python, "-m", "pytest", "-q", "-o", "addopts=", "-p", "no:cacheprovider", "-k", f"not {OTHER_HTTP}",
         f"--junitxml={report}", *(f"tests/api_resources/{file}" for file in files)],
        cwd=root, check=False, stdout=subprocess.DEVNULL, env={**os.environ, "TEST_API_BASE_URL": url + end},
    )  # fmt: skip
    outcomes: dict[str, list[bool]] = defaultdict(list)
    for case in ElementTree.parse(report).iter("testcase"):  # noqa: S314 - pytest's own report
        if case.find("skipped") is None:
            name = f"{package} {case.get('classname', '').removeprefix('tests.api_resources.')}.{case.get('name', '').partition('[')[0]}"
            outcomes[name.replace(".TestAsync", ".Test")].append(case.find("failure") is None and case.find("error") is None)
    return [f"{name} {'passed' if all(passed) else 'refused'}" for name, passed in sorted(outcomes.items())]


def _output(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout  # noqa: S603 - as above


if __name__ == "__main__":
    sys.exit(main())
