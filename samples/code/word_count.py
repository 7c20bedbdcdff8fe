"""Count the words of a text and print the most frequent ones."""

from __future__ import annotations

import re
import sys
from collections import Counter

WORD = re.compile(r"\w+")


def most_frequent(text: str, limit: int = 10) -> list[tuple[str, int]]:
    """Return the words that occur most, with how often each does."""
    words = Counter(word.casefold() for word in WORD.findall(text))
    return sorted(words.items(), key=lambda item: (-item[1], item[0]))[:limit]


def main() -> int:
    for word, count in most_frequent(sys.stdin.read()):
        print(f"{count:8d}  {word}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
