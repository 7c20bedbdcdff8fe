"""The commands `speed.py` times: deepsel's own with their targets, and those of the tools beside it. Runs nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import permutations
from pathlib import Path
from typing import Any

from speed_process import Row, environment

QUESTION = "What is DNS?"
CANDIDATES = ("deepseek-flash", "qwen3.8-flash", "qwen-flash", "mistral-large-4", "gpt-5-mini")
"""Five of four makers, each with a vocabulary of its own."""
KEYS = ("DEEPSEEK_API_KEY", "DASHSCOPE_API_KEY", "MISTRAL_API_KEY", "OPENAI_API_KEY")
COUNTER = "gpt-4o"
"""The one model for which every tool here counts with the same vocabulary."""
MAX_TOKENS = "4096"
"""deepsel's own default, so that saying it changes nothing."""

_PROFILES = """
default_profile = "main"
[providers.here]
wire = "openai-chat"
base_url = "{url}"
[providers.there]
wire = "anthropic-messages"
base_url = "{root}"
[models.m]
provider = "here"
context_window = 1000000
max_output = 900000
price = {{ input = "1", output = "2" }}
[models.a]
provider = "there"
context_window = 1000000
max_output = 900000
price = {{ input = "1", output = "2" }}
[profiles.main]
models = ["m"]
timeout_s = 300
"""
_ASK = '`deepsel ask "..."`'
_COUNT = f"""
import sys
from tokencost import count_string_tokens
print(count_string_tokens(open(sys.argv[1], encoding="utf-8").read(), "{COUNTER}"))
"""


def prepare_home(home: Path, url: str, samples: Path) -> Path:
    """Write the profiles and the 2 KB prompt, half English and half code, into a home; return the prompt's path."""
    config = home / ".config" / "deepsel" / "profiles.toml"
    config.parent.mkdir(parents=True)
    config.write_text(_PROFILES.format(url=url, root=url.removesuffix("/v1")))
    texts = [samples / "en.txt", samples / "code" / "word_count.py", samples / "code" / "word_count.js"]
    prompt = home / "prompt.txt"
    prompt.write_bytes(b"\n".join(path.read_bytes() for path in texts)[:2048])
    return prompt


def floor_row(python: str, home: Path) -> Row:
    """The least any Python program can take."""
    return Row("floor", "`python -c pass`", lambda _: [python, "-c", "pass"], environment(home))


def deepsel_rows(python: str, home: Path, prompt: Path) -> list[Row]:
    """List deepsel's commands with the ratios issue 8 asks for."""
    program, env = str(Path(python).with_name("deepsel")), environment(home)
    keyed = environment(home, **dict.fromkeys(KEYS, "not-a-key"))
    candidates = [word for name in CANDIDATES for word in ("-m", name)]

    def fixed(key: str, label: str, target: float, *words: str, env: Mapping[str, str] = env, expects: str = "") -> Row:
        """Make the row of a command that is the same every time."""
        return Row(key, label, lambda _: [program, *words], env, target, expects=expects)

    def first_byte(key: str, wire: str, model: str) -> Row:
        """Make the row of an answer that is asked for anew and shown as it comes."""
        argv = [program, "ask", "--no-cache", "--stream", "-m", model, QUESTION]
        label = f'`deepsel ask --no-cache --stream "..."`, {wire}, to the first byte on stdout'
        return Row(key, label, lambda _: argv, env, 16, True, "simulated answer", model)

    return [
        fixed("cached", f"{_ASK}, same invocation, from the disk cache", 2, "ask", QUESTION, expects="from the cache"),
        Row("wording", f"{_ASK}, cache hit by another wording", lambda n: [program, *wording(n)], env, 9, expects="from the cache"),
        fixed("version", "`deepsel --version`", 2, "--version", expects="deepsel "),
        fixed("help", "`deepsel --help`", 8, "--help", expects="Commands:"),
        fixed("stats", "`deepsel cache stats`", 8, "cache", "stats", expects="disk"),
        first_byte("first-byte", "openai-chat", "m"),
        first_byte("first-byte-anthropic", "anthropic-messages", "a"),
        fixed("estimate-one", f"`deepsel estimate FILE -m {COUNTER}`, 2 KB", 12, "estimate", str(prompt), "-m", COUNTER),
        fixed("estimate-all", "`deepsel estimate FILE`, 2 KB, whole catalog", 25, "estimate", str(prompt)),
        fixed("explain", "`deepsel ask --explain -f FILE`, 2 KB, five candidates of four makers", 15,
              "ask", "--explain", "-f", str(prompt), *candidates, env=keyed, expects="nothing was sent"),
    ]  # fmt: skip


def wording(number: int) -> list[str]:
    """Ask the same in words no run before has used: another order, another spelling, a time limit of its own."""
    options = [
        ["-m", "m"],
        ["--temperature", ("0", "0.0", "0.00")[number % 3]],
        ["--max-tokens", MAX_TOKENS],
        ["--timeout", str(31 + number)],
        [QUESTION],
    ]
    orders = list(permutations(options))
    return ["ask", *(word for option in orders[number * 7 % len(orders)] for word in option)]


# --- the tools beside ------------------------------------------------------------------------------------------------


def peer_rows(programs: Mapping[str, str], home: Path, prompt: Path, url: str) -> list[Row]:
    """List the commands of the tools that are given, by name: programs, for tokencost and litellm a Python."""
    asking, counting = _asking(home, url), _counting(home)
    rows = {
        "llm": [
            _fixed("llm-version", "`llm --version`", ["--version"], asking),
            _fixed("llm-first-byte", '`llm "..."`, asked over loopback, to the first byte on stdout', ["-m", "here", QUESTION],
                   asking, is_to_first_byte=True, expects="simulated answer", model="llm"),
        ],
        "sgpt": [
            _fixed("sgpt-version", "`sgpt --version`", ["--version"], asking),
            _fixed("sgpt-cached", '`sgpt --cache "..."`, answered from its cache', ["--cache", QUESTION],
                   asking, expects="simulated answer"),
        ],
        "ttok": [
            _fixed("ttok-version", "`ttok --version`", ["--version"], counting),
            _fixed("ttok-count", f"`ttok -m {COUNTER} -i FILE`, 2 KB", ["-m", COUNTER, "-i", str(prompt)], counting),
        ],
        "tokencost": [
            _fixed("tokencost-count", "tokencost's `count_string_tokens`, 2 KB", ["-c", _COUNT, str(prompt)], counting),
        ],
        "litellm": [_fixed("litellm-import", '`python -c "import litellm"`', ["-c", "import litellm"], counting)],
        "aiperf": [_fixed("aiperf-version", "`aiperf --version`", ["--version"], counting)],
    }  # fmt: skip
    return [row(program) for name, program in programs.items() for row in rows[name]]


def _fixed(key: str, label: str, words: list[str], env: Mapping[str, str], **more: Any) -> Callable[[str], Row]:
    """Make a row once its program is known."""
    return lambda program: Row(key, label, lambda _: [program, *words], env, **more)


def _asking(home: Path, url: str) -> dict[str, str]:
    """Set llm and shell_gpt up to ask the simulator, llm for a model `llm` and shell_gpt for one called `sgpt`."""
    folder = home / "llm"
    folder.mkdir()
    models = f'- model_id: here\n  model_name: llm\n  api_base: "{url}"\n'
    (folder / "extra-openai-models.yaml").write_text(models)
    sgpt = {"CACHE_PATH": str(home / "sgpt"), "API_BASE_URL": url, "DEFAULT_MODEL": "sgpt"}
    return environment(home, OPENAI_API_KEY="not-a-key", LLM_USER_PATH=str(folder), **sgpt)


def _counting(home: Path) -> dict[str, str]:
    """Make the environment in which tiktoken finds its files, and litellm its prices, without a network."""
    return environment(home, TIKTOKEN_CACHE_DIR=str(home / "tiktoken"), LITELLM_LOCAL_MODEL_COST_MAP="True")
