"""Codex (npm's @openai/codex), from its command line: one question, in whose course it runs a tool and sends the result back.

Its tools that the provider runs, and those of its own kind, are switched off, so that any wire can carry them. The variable CODEX names
the program where it is not on the path.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path

from place import KEY, MODEL, OPENAI_URL, case, run

CONFIG = f"""
model = "{MODEL}"
model_provider = "here"
web_search = "disabled"
features = {{ multi_agent = false }}

[model_providers.here]
name = "here"
base_url = "{OPENAI_URL}"
wire_api = "responses"
env_key = "HERE_KEY"
request_max_retries = 0
stream_max_retries = 0
"""


@case
def a_question() -> None:
    """It answers after a tool loop."""
    with tempfile.TemporaryDirectory() as home:
        Path(home, "config.toml").write_text(CONFIG)
        command = [os.environ.get("CODEX", "codex"), "exec", "--skip-git-repo-check", "--sandbox", "read-only", "-C", home, "What is DNS?"]
        env = {**os.environ, "CODEX_HOME": home, "HERE_KEY": KEY}
        done = subprocess.run(  # noqa: S603 - the client under test
            command, env=env, capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL, check=False
        )
    assert done.returncode == 0, done.stderr
    assert "simulated answer" in done.stdout
    assert "exec" in done.stderr


run()
