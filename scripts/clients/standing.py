"""The server that clients are run against: the simulator, alone or behind `deepsel serve`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deepsel.simulator import Simulator

_PROFILE = """\
[providers.behind]
wire = "{wire}"
base_url = "{base_url}"
max_concurrency = 64

[models.{model}]
provider = "behind"
context_window = 100000
max_output = 4000
price = {{ input = "1", cached_input = "0.1", output = "2" }}
features = ["tools", "json_schema", "json_object", "images"]

[profiles.main]
models = ["{model}"]
"""


@contextmanager
def standing(model: str, *, wire: str | None) -> Iterator[str]:
    """Give the root address of a simulator that knows one model or, with a wire, of `deepsel serve` in front of it on that wire."""
    with Simulator({"known_models": [model]}) as simulator:
        if wire is None:
            yield simulator.url
            return
        with tempfile.TemporaryDirectory() as home:
            profiles = Path(home) / "profiles.toml"
            profiles.write_text(_PROFILE.format(wire=wire, base_url=simulator.base_urls[wire], model=model))
            env = {**os.environ, "DEEPSEL_HOME": home, "DEEPSEL_CONFIG": str(profiles)}
            command = [sys.executable, "-m", "deepsel", "serve", "--port", "0"]
            with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True) as served:  # noqa: S603 - ourselves
                assert served.stdout is not None
                try:
                    yield str(json.loads(served.stdout.readline())["url"])
                finally:
                    served.terminate()
