"""Claude Code (npm's @anthropic-ai/claude-code), from its command line: one question, in whose course it calls a tool.

In front of a provider of Anthropic's wire: a failed tool's result is marked as such, which no other wire can carry. The variable CLAUDE
names the program where it is not on the path.
"""

from __future__ import annotations

import os
import subprocess
import tempfile

from place import ANTHROPIC_URL, KEY, MODEL, WIRE, case, run


@case
def a_question() -> None:
    """It answers after a tool loop."""
    if WIRE not in ("", "anthropic-messages"):
        return
    with tempfile.TemporaryDirectory() as home:
        ours = {"HOME": home, "CLAUDE_CONFIG_DIR": home, "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1"}
        ours |= {"ANTHROPIC_BASE_URL": ANTHROPIC_URL, "ANTHROPIC_AUTH_TOKEN": KEY}
        ours |= {"ANTHROPIC_MODEL": MODEL, "ANTHROPIC_SMALL_FAST_MODEL": MODEL}
        done = subprocess.run(  # noqa: S603 - the client under test
            [os.environ.get("CLAUDE", "claude"), "-p", "What is DNS?", "--max-turns", "3"],
            env={**os.environ, **ours}, capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL, check=False, cwd=home,
        )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "simulated answer" in done.stdout


run()
