"""Run other people's clients against the simulator, or against `deepsel serve` in front of it, and say which cases pass.

    python scripts/clients/run.py --python VENV/bin/python [--serve] [--wire WIRE] [NAME...]

VENV has the clients installed: openai anthropic pydantic-ai-slim[openai,anthropic] instructor langchain-openai
langchain-anthropic openai-agents llm litellm. NAME is a client's script without `use_`; without one all are run.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

from standing import standing

HERE = Path(__file__).parent
MODEL = "sim"


def main() -> int:
    """Run the wanted clients one after the other; 1 where a case failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--serve", action="store_true", help="put `deepsel serve` in front of the simulator")
    parser.add_argument("--wire", default="openai-chat", help="of the provider behind `serve`")
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    names = options.names or sorted(path.stem.removeprefix("use_") for path in HERE.glob("use_*.py"))
    failed = []
    with standing(MODEL, wires=[options.wire] if options.serve else ()) as url:
        for name in names:
            print(f"--- {name}", flush=True)
            command = [options.python, str(HERE / f"use_{name}.py"), url, MODEL, options.wire if options.serve else ""]
            done = subprocess.run(command, check=False, env=_clean_environment(), timeout=600)  # noqa: S603 - our own scripts
            failed += [name] if done.returncode else []
    print("failed: " + ", ".join(failed) if failed else "all passed")
    return 1 if failed else 0


def _clean_environment() -> dict[str, str]:
    """Leave out what could point a client elsewhere."""
    return {name: value for name, value in os.environ.items() if not name.endswith(("_API_KEY", "_BASE_URL", "_PROXY", "_proxy"))}


if __name__ == "__main__":
    sys.exit(main())
