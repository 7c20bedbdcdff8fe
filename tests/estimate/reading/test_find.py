"""Which files are found, and what is said of the others."""

from __future__ import annotations

import os
import socket
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deepsel.errors import UsageError
from deepsel.estimate.reading.find import find


def _write(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("text")


def _found(folder: Path, *paths: str) -> list[str]:
    """Paths found below a folder, relative to it, in order."""
    found, _ = find([str(folder / path) for path in paths] or [str(folder)])
    return [os.path.relpath(item.path, folder) for item in found]


def _skipped(*paths: Path) -> dict[str, str]:
    _, skipped = find([str(path) for path in paths])
    return {Path(one.path).name: one.reason for one in skipped}


def test_a_folder_is_walked_by_name(tmp_path: Path) -> None:
    """Files come in the order of their names, whatever order they were made in."""
    _write(tmp_path, "b/two.txt", "c.txt", "a.txt", "b/one.txt", ".hidden")
    assert _found(tmp_path) == [".hidden", "a.txt", "b/one.txt", "b/two.txt", "c.txt"]


def test_the_folder_one_stands_in_has_short_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`.` finds `a.txt`, not `./a.txt`."""
    _write(tmp_path, "a.txt", "b/c.txt")
    monkeypatch.chdir(tmp_path)
    assert [item.path for item in find(["."])[0]] == ["a.txt", "b/c.txt"]


def test_a_file_named_twice_is_read_once(tmp_path: Path) -> None:
    """A file that is named by itself, within its folder and through a link is one file."""
    _write(tmp_path, "a.txt")
    (tmp_path / "link").symlink_to("a.txt")
    assert _found(tmp_path, "a.txt", "link", ".", "../" + tmp_path.name) == ["a.txt"]


def test_a_missing_path_is_an_error_with_the_nearest_name(tmp_path: Path) -> None:
    """A path that is not there stops the command and names what may have been meant."""
    _write(tmp_path, "prompt.txt")
    with pytest.raises(UsageError, match="does not exist") as caught:
        find([str(tmp_path / "promt.txt")])
    assert "prompt.txt" in caught.value.hint


def test_a_quoted_pattern_is_expanded(tmp_path: Path) -> None:
    """A pattern that reaches us unexpanded is matched, `**` through folders."""
    _write(tmp_path, "a.txt", "b/c.txt", "b/d/e.txt", "b/d/f.md")
    assert _found(tmp_path, "**/*.txt") == ["a.txt", "b/c.txt", "b/d/e.txt"]
    with pytest.raises(UsageError, match="no file matches"):
        _found(tmp_path, "*.nothing")


def test_a_name_with_a_star_is_a_name(tmp_path: Path) -> None:
    """A file whose own name holds pattern characters can be named."""
    _write(tmp_path, "a[1].txt", "a1.txt")
    assert _found(tmp_path, "a[1].txt") == ["a[1].txt"]


def test_links_are_not_followed_in_a_walk(tmp_path: Path) -> None:
    """A link in a folder is skipped, also one that leads up and would never end; its target still counts."""
    _write(tmp_path, "b/file.txt")
    (tmp_path / "a").symlink_to("b/file.txt")
    (tmp_path / "b" / "up").symlink_to(tmp_path)
    (tmp_path / "self").symlink_to("self")
    assert _found(tmp_path) == ["b/file.txt"]
    assert set(_skipped(tmp_path)) == {"a", "up", "self"}


def test_a_named_link_is_followed(tmp_path: Path) -> None:
    """A link to a folder that is named is walked; one that leads to itself is skipped with the system's reason."""
    _write(tmp_path, "real/file.txt")
    (tmp_path / "link").symlink_to("real")
    (tmp_path / "loop").symlink_to("loop")
    assert _found(tmp_path, "link") == ["link/file.txt"]
    assert "symbolic links" in _skipped(tmp_path / "loop")["loop"]


def test_what_is_no_file_is_skipped(tmp_path: Path) -> None:
    """A pipe, a socket and a device are named with their reason and never opened."""
    os.mkfifo(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(str(tmp_path / "socket"))
        reasons = _skipped(tmp_path, Path("/dev/zero"))
    assert "pipe" in reasons["pipe"]
    assert reasons["socket"] == "a socket"
    assert reasons["zero"] == "a device"


@pytest.fixture
def nobody() -> Iterator[Path]:
    """An open folder, with the rights of a user who owns nothing."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        _write(folder, "open.txt", "closed/file.txt", "closed.txt")
        (folder / "closed").chmod(0)
        (folder / "closed.txt").chmod(0)
        is_root = os.geteuid() == 0
        if is_root:
            os.seteuid(65534)
        try:
            yield folder
        finally:
            if is_root:
                os.seteuid(0)
            (folder / "closed").chmod(0o700)


def test_a_folder_that_cannot_be_read_is_skipped(nobody: Path) -> None:
    """A folder without permission is a skip with its reason; the rest is found."""
    found, skipped = find([str(nobody)])
    assert [Path(item.path).name for item in found] == ["closed.txt", "open.txt"]
    assert [(Path(one.path).name, one.reason) for one in skipped] == [("closed", "permission denied")]


def test_a_name_that_is_not_utf8_can_be_printed(tmp_path: Path) -> None:
    """A file name of stray bytes is read under its own name and shown with replacements."""
    path = os.fsencode(tmp_path) + b"/caf\xe9.txt"
    Path(os.fsdecode(path)).write_bytes(b"x")
    (item,) = find([str(tmp_path)])[0]
    item.label.encode("utf-8")
    assert item.size_bytes == 1


def test_a_very_deep_folder_is_walked(tmp_path: Path) -> None:
    """Depth is no matter: the walk does not recurse, nor do the rules."""
    _write(tmp_path, "d/" * 900 + "file.txt")
    assert _found(tmp_path) == ["d/" * 900 + "file.txt"]


# --- gitignore ---------------------------------------------------------------------------------------------------------


def _by_git(git: Callable[..., str]) -> list[str]:
    """What git does not ignore, by its own word."""
    return sorted(git("ls-files", "-z", "--others", "--exclude-standard").split("\0")[:-1])


def test_gitignore_is_honoured_as_git_does(tmp_path: Path, git: Callable[..., str]) -> None:
    """Nested rule files, negation, anchors, folders and `info/exclude` leave out what git leaves out."""
    _write(
        tmp_path,
        "a.log", "keep.log", "src/a.log", "src/b.txt", "src/deep/b.txt", "build/out.txt", "src/build/out.txt", "doc/build",
        "secret.txt", "src/secret.txt", "x/y/z/q.tmp", "src/local.cfg", "weird[1].txt", " lead.txt",
    )  # fmt: skip
    (tmp_path / ".gitignore").write_text("*.log\n!keep.log\n/build/\n# no\n\nx/**/q.tmp\n!\n[[:alpha:]]zz\n\\ lead.txt\n")
    (tmp_path / "src" / ".gitignore").write_text("!a.log\n/b.txt\nbuild\n")
    (tmp_path / ".git" / "info" / "exclude").write_text("secret.txt\n")
    assert sorted(_found(tmp_path)) == _by_git(git)


def test_rules_above_the_named_folder_count(tmp_path: Path, git: Callable[..., str]) -> None:
    """A folder within a repository obeys the rules of the folders above it, up to the top."""
    _write(tmp_path, "src/a.log", "src/a.txt")
    (tmp_path / ".gitignore").write_text("*.log\n")
    assert _found(tmp_path, "src") == ["src/a.txt"]


def test_what_is_named_is_read_though_ignored(tmp_path: Path, git: Callable[..., str]) -> None:
    """An ignored file that is named is read, an ignored folder that is named is walked; a pattern names nothing."""
    _write(tmp_path, "a.log", "build/out.txt")
    (tmp_path / ".gitignore").write_text("*.log\nbuild/\n")
    assert _found(tmp_path, "a.log", "build") == ["a.log", "build/out.txt"]
    with pytest.raises(UsageError, match="git ignores"):
        _found(tmp_path, "*.log")


def test_outside_a_repository_rule_files_above_do_not_count(tmp_path: Path) -> None:
    """Without a repository only the rule files within the named folder are honoured."""
    _write(tmp_path, "in/a.log", "in/b.log")
    (tmp_path / ".gitignore").write_text("*.log\n")
    (tmp_path / "in" / ".gitignore").write_text("b.log\n")
    assert _found(tmp_path, "in") == ["in/.gitignore", "in/a.log"]


_PART = st.sampled_from(["a", "b", "ab", "c.txt", "*", "?", "**", "*.txt", "[ab]", "a*"])
_RULE = st.builds(
    lambda bang, anchor, parts, end: bang + anchor + "/".join(parts) + end,
    st.sampled_from(["", "", "!"]),
    st.sampled_from(["", "/"]),
    st.lists(_PART, min_size=1, max_size=3),
    st.sampled_from(["", "/"]),
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(top=st.lists(_RULE, max_size=4), inner=st.lists(_RULE, max_size=3))
def test_any_rules_mean_what_git_says(
    top: list[str], inner: list[str], tmp_path: Path, git: Callable[..., str]
) -> None:
    """For any rules at the top and in a folder, exactly the files that git does not ignore are found."""
    _write(tmp_path, "a/a/c.txt", "a/b/ab", "a/c.txt", "b/a", "b/b/c.txt", "ab/c.txt", "c.txt", "d.md")
    (tmp_path / ".gitignore").write_text("\n".join(top) + "\n")
    (tmp_path / "a" / ".gitignore").write_text("\n".join(inner) + "\n")
    assert sorted(_found(tmp_path)) == _by_git(git)
