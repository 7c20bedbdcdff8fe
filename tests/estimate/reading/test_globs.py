"""Patterns of ignore files mean what git says they mean, and take no longer than they are."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deepsel.estimate.reading.globs import parse

_WORDS = (
    "a", "b", "ab", "*", "**", "***", "?", "/", "**/", "/**", "/**/", "[ab]", "[!a]", "[^b]", "[a-c]", "[b-a]", "[-a]", "[a-", "[]a]",
    "[a\\]b]", "[+--]", "[^/]", "[[:alpha:]]", "[[:punct:]]", "[[:x:]]", "[:", "[", "]", "-", "\\", "\\*", "\\/", "!", "#", " ", ".",
    "é", "(", "+", "$", "^", "|", "{",
)  # fmt: skip
_NAMES = ("a", "b", "ab", "c", "aab", "bab", "é", "x y", ".a", "[", "]", "-", "a]b", "!a", "#a", "a ", "*", "\\", "(a)", "+", "$", "^")


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    pattern=st.lists(st.sampled_from(_WORDS), min_size=1, max_size=6).map("".join),
    paths=st.lists(st.lists(st.sampled_from(_NAMES), min_size=1, max_size=4).map("/".join), min_size=1, max_size=20),
)
def test_a_pattern_means_what_git_says(pattern: str, paths: list[str], tmp_path: Path, git: Callable[..., str]) -> None:
    """For any pattern and any paths, those are named that `git check-ignore` names; a line that takes back names none."""
    (tmp_path / ".gitignore").write_text(pattern + "\n")
    asked = b"".join(os.fsencode(path) + b"\0" for path in paths)
    command = ["git", "-C", str(tmp_path), "check-ignore", "-z", "--no-index", "--stdin"]
    named = subprocess.run(command, input=asked, capture_output=True, check=False).stdout.decode().split("\0")[:-1]
    glob = parse(pattern.encode())

    def is_named(path: str) -> bool:
        """Ask of the path, and of each folder above it, as a walk does."""
        parts = path.split("/")
        above = [("/".join(parts[:count]).encode(), count < len(parts)) for count in range(1, len(parts) + 1)]
        return glob is not None and not glob.is_negative and any(glob.hits(one, is_folder=is_folder) for one, is_folder in above)

    assert [path for path in paths if is_named(path)] == named


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        (b"*a" * 200 + b"b", b"a" * 4000),
        (b"*a" * 5_000, b"a" * 4000),
        (b"**/*a" * 50 + b"/b", b"aa/" * 1300 + b"c"),
        (b"a/**/" * 100 + b"z", b"a/" * 2000),
        (b"**/*a*a*a*a*a*b/**/c*d", b"aaaaa/" * 700),
    ],
)
def test_stars_do_not_multiply(pattern: bytes, path: bytes) -> None:
    """Patterns for which trying every place of every star would never end, against paths of the greatest length, are answered."""
    glob = parse(pattern)
    assert glob is not None
    assert not glob.hits(path, is_folder=False)
