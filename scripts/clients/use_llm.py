"""llm, from its command line: a model of the user's own at this address, streamed and not."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from place import KEY, MODEL, OPENAI_URL, case, run

HOME = Path(tempfile.mkdtemp())
(HOME / "extra-openai-models.yaml").write_text(
    f"- model_id: here\n  model_name: {MODEL}\n  api_base: {OPENAI_URL}\n  api_key_name: here\n"
)


def llm(*arguments: str) -> str:
    env = {**os.environ, "LLM_USER_PATH": str(HOME)}
    command = [str(Path(sys.executable).parent / "llm"), "-m", "here", "--key", KEY, *arguments]
    return subprocess.run(command, env=env, capture_output=True, text=True, check=True, timeout=120, stdin=subprocess.DEVNULL).stdout  # noqa: S603 - the client under test


@case
def words() -> None:
    """The same answer, streamed and not."""
    whole = llm("--no-stream", "What is DNS?")
    assert whole.strip()
    assert llm("What is DNS?") == whole


run()
