"""Writes docs/one_vocabulary.md: how far off it is to count every provider with one vocabulary, per language of samples/.

    python benchmarks/one_vocabulary.py
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from deepsel import tokens  # noqa: E402 - the checkout is measured, installed or not
from deepsel.values import Source  # noqa: E402

TARGET = ROOT / "docs" / "one_vocabulary.md"
ONES = ("cl100k_base", "o200k_base")
PROVIDERS = {
    "deepseek": "DeepSeek V3 to V4.1",
    "qwen": "Qwen to 3",
    "qwen35": "Qwen 3.5 and later",
    "tekken": "Mistral",
    "o200k_base": "OpenAI GPT-4o and later",
    "claude3": "Claude 3 to 4.6",
    "claude48": "Claude 4.8 and later",
}
HEAD = (
    "# One vocabulary for all\n\n"
    "How far off a count is that takes one OpenAI vocabulary for every provider: +100 % means that it is twice the real count. "
    "The text is the same in each language ([samples](../samples/README.md)), so the figures in brackets can be compared. "
    "Made by `python benchmarks/one_vocabulary.py`.\n"
)


def counts(text: str, names: Iterable[str]) -> dict[str, tokens.Count]:
    """Count a text in each vocabulary."""
    return {name: tokens.count(text, name) for name in names}


def samples() -> dict[str, str]:
    """Read the samples by name: each language, and all program text together."""
    found = {path.stem: path.read_text("utf-8") for path in sorted((ROOT / "samples").glob("*.txt"))}
    program = [path.read_text("utf-8") for path in sorted((ROOT / "samples" / "code").iterdir()) if path.is_file()]
    return {**found, "code": "\n".join(program)}


def table(one: str, counted: dict[str, dict[str, tokens.Count]]) -> str:
    """Write the errors of one vocabulary for each provider."""
    names = [name for name in PROVIDERS if name != one]
    guessed = {name for name in names if any(row[name].source is Source.ESTIMATED for row in counted.values())}
    heads = [PROVIDERS[name] + ("*" if name in guessed else "") for name in names]
    lines = [f"| text | {' | '.join(heads)} |", "|---" * (len(names) + 1) + "|"]
    for language, row in counted.items():
        errors = (f"{100 * (row[one].tokens / row[name].tokens - 1):+.0f} % ({row[name].tokens:,})" for name in names)
        lines.append(f"| {language} | {' | '.join(errors)} |")
    return "\n".join(lines)


def main() -> None:
    """Count every sample and write the tables."""
    counted = {name: counts(text, {*ONES, *PROVIDERS}) for name, text in samples().items()}
    methods = {name: next(iter(counted.values()))[name] for name in ("claude3", "claude48")}
    notes = ", ".join(
        f"{PROVIDERS[name]}: {count.method}" + (f", ± {count.error_pct:g} %" if count.error_pct else "") for name, count in methods.items()
    )
    parts = [HEAD]
    for one in ONES:
        parts.append(f"## Everything counted with {one}\n\nError, and in brackets the provider's own count.\n\n{table(one, counted)}\n")
    parts.append(f"\\* Anthropic publishes no vocabulary; these counts are estimates themselves ({notes}).\n")
    TARGET.write_text("\n".join(parts), "utf-8")
    print(f"{TARGET.relative_to(ROOT)}: {len(counted)} texts")


if __name__ == "__main__":
    main()
