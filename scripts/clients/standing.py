"""The server that clients are run against: the simulator, alone or behind `deepsel serve`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from deepsel.simulator import Simulator

WIRES = ("openai-chat", "anthropic-messages", "openai-responses")
_ROWS = """\
[providers.{model}-host]
wire = "{wire}"
base_url = "{base_url}"
max_concurrency = 64

[models.{model}]
provider = "{model}-host"
id = "{id}"
context_window = 100000
max_output = 4000
price = {{ input = "1", cached_input = "0.1", output = "2" }}
features = ["tools", "json_schema", "json_object", "images"]

"""


@contextmanager
def standing(model: str, *, wires: Sequence[str] = (), aliases: Sequence[str] = ()) -> Iterator[str]:
    """Give the root address of a simulator that knows one model or, with wires, of `deepsel serve` in front of it.

    With several wires the profile has a model on each, the first under the model's own name; an alias stands for any of them.
    """
    with Simulator({"known_models": [model]}) as simulator:
        if not wires:
            yield simulator.url
            return
        names = [model, *(f"{model}-{number}" for number in range(2, len(wires) + 1))]
        rows = [
            _ROWS.format(model=name, id=model, wire=wire, base_url=simulator.base_urls[wire])
            for name, wire in zip(names, wires, strict=True)
        ]
        profile = f"[profiles.main]\nmodels = {json.dumps(names)}\nstrategy = \"ordered\"\n\n[serve.aliases]\n"
        listed = "".join(f"{json.dumps(alias)} = \"auto\"\n" for alias in aliases)
        with tempfile.TemporaryDirectory() as home:
            profiles = Path(home) / "profiles.toml"
            profiles.write_text("".join(rows) + profile + listed)
            env = {**os.environ, "DEEPSEL_HOME": home, "DEEPSEL_CONFIG": str(profiles)}
            command = [sys.executable, "-m", "deepsel", "serve", "--port", "0", "--quiet"]
            with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True) as served:  # noqa: S603 - ourselves
                assert served.stdout is not None
                try:
                    yield str(json.loads(served.stdout.readline())["url"])
                finally:
                    served.terminate()
