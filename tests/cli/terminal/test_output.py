"""Files are whole or untouched."""

from __future__ import annotations

from pathlib import Path

import pytest

from deepsel.cli.terminal.output import check_writable, partial_path, write_file
from deepsel.errors import UsageError


def test_a_file_is_replaced_at_once_and_keeps_its_mode(tmp_path: Path) -> None:
    """The new text replaces the old in one step; permissions stay, nothing is left beside it."""
    path = tmp_path / "answer.md"
    path.write_text("old")
    path.chmod(0o640)
    write_file(path, "new é")
    assert path.read_text("utf-8") == "new é"
    assert path.stat().st_mode & 0o777 == 0o640
    assert list(tmp_path.iterdir()) == [path]


def test_a_link_is_followed(tmp_path: Path) -> None:
    """Writing to a symbolic link replaces what it points to, not the link."""
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_text("old")
    link.symlink_to(target)
    write_file(link, "new")
    assert link.is_symlink()
    assert target.read_text() == "new"


def test_devices_are_written_to() -> None:
    """/dev/null is a fine place for an answer."""
    write_file(Path("/dev/null"), "x")


def test_impossible_places_are_refused_before_anything_is_paid(tmp_path: Path) -> None:
    """A folder, and a file in a folder that is not there, are usage errors."""
    for path in (tmp_path, tmp_path / "no" / "where.txt"):
        with pytest.raises(UsageError):
            check_writable(path)


def test_partial_answers_have_a_name_of_their_own() -> None:
    """What is not whole stands beside, never in place of, the file."""
    assert partial_path(Path("a/b.json")) == Path("a/b.json.partial")
