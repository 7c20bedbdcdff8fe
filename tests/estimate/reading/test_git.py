"""What git says has changed, asked of real repositories."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from deepsel.errors import UsageError
from deepsel.estimate.reading.git import ChangedFile, changed_files
from deepsel.estimate.records import Skipped


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty repository, the working directory of the test."""
    for name in ("GIT_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", os.devnull)
    folder = tmp_path / "repo"
    folder.mkdir()
    monkeypatch.chdir(folder)
    git("init", "-q", "-b", "main")
    git("config", "user.email", "a@example.org")
    git("config", "user.name", "a")
    return folder


def git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], check=True, capture_output=True, text=True).stdout.strip()


def commit(**files: str) -> None:
    for name, text in files.items():
        Path(name).write_text(text)
    git("add", "-A")
    git("commit", "-q", "-m", "x")


def found(revision: str | None = None, *paths: str) -> dict[str, tuple[bytes | None, bytes | None] | str]:
    return {
        one.path: one.reason if isinstance(one, Skipped) else (one.before, one.after)
        for one in changed_files(revision, paths, env=os.environ)
    }


def test_everything_staged_is_new_before_the_first_commit(repo: Path) -> None:
    """A repository without HEAD is compared with nothing."""
    Path("a.md").write_text("one")
    git("add", "a.md")
    assert found() == {"a.md": (None, b"one")}


def test_staged_is_the_index_not_the_disk(repo: Path) -> None:
    """What was edited after `git add` does not count."""
    commit(a="old")
    Path("a").write_text("staged")
    git("add", "a")
    Path("a").write_text("on disk")
    Path("untracked").write_text("x")
    assert found() == {"a": (b"old", b"staged")}


def test_a_deletion_and_an_addition_have_one_side(repo: Path) -> None:
    """The missing side is None, an empty file is not."""
    commit(gone="bye", empty="")
    git("rm", "-q", "gone")
    Path("new").write_text("hello there")
    Path("empty").write_text("x")
    git("add", "-A")
    assert found() == {"gone": (b"bye", None), "new": (None, b"hello there"), "empty": (b"", b"x")}


def test_a_rename_is_one_file_under_its_new_name(repo: Path) -> None:
    """A moved prompt is compared with itself."""
    body = "\n".join(f"line {number}" for number in range(50))
    commit(old=body)
    git("mv", "old", "new")
    Path("new").write_text(body + "\nmore")
    git("add", "-A")
    assert found() == {"new": (body.encode(), (body + "\nmore").encode())}


def test_links_and_submodules_are_skipped_with_their_reason(repo: Path) -> None:
    """What is no text of its own is named, not read."""
    commit(a="x")
    Path("link").symlink_to("/etc/passwd")
    git("add", "link")
    git("update-index", "--add", "--cacheinfo", f"160000,{git('rev-parse', 'HEAD')},module")
    assert found() == {"link": "symbolic link", "module": "submodule"}


def test_a_conflict_is_skipped(repo: Path) -> None:
    """A file with merge conflicts has no one new version."""
    commit(a="base")
    git("checkout", "-q", "-b", "other")
    commit(a="theirs")
    git("checkout", "-q", "main")
    commit(a="ours")
    assert subprocess.run(["git", "merge", "-q", "other"], capture_output=True, check=False).returncode
    assert found()["a"] == "has merge conflicts"


def test_a_mode_change_is_no_change_of_text(repo: Path) -> None:
    """The same content with another mode costs what it did."""
    commit(a="x")
    Path("a").chmod(0o755)
    git("add", "a")
    assert found() == {}


def test_odd_names_are_read_as_they_are(repo: Path) -> None:
    """Spaces, quotes, line breaks and non-ASCII reach us unquoted, and a leading dash is no option."""
    names = ["a b", 'q"uote', "line\nbreak", "später", "-n", "tab\tbed"]
    commit(**dict.fromkeys(names, "old"))
    commit_less = dict.fromkeys(names, "new")
    for name, text in commit_less.items():
        Path(name).write_text(text)
    git("add", "-A")
    assert found() == dict.fromkeys(names, (b"old", b"new"))


def test_paths_restrict_what_counts(repo: Path) -> None:
    """A folder, a pattern and an exclusion, as git understands them."""
    Path("prompts").mkdir()
    commit(**{"prompts/a.md": "1", "prompts/b.txt": "1", "c.md": "1"})
    for name in ("prompts/a.md", "prompts/b.txt", "c.md"):
        Path(name).write_text("2")
    git("add", "-A")
    assert set(found(None, "prompts")) == {"prompts/a.md", "prompts/b.txt"}
    assert set(found(None, "*.md")) == {"prompts/a.md", "c.md"}
    assert set(found(None, "prompts", ":!*.txt")) == {"prompts/a.md"}


def test_a_subfolder_sees_the_same_names(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Names are from the top of the repository wherever the command runs; pathspecs from where it stands."""
    Path("deep").mkdir()
    commit(**{"deep/a": "1", "b": "1"})
    Path("deep/a").write_text("2")
    Path("b").write_text("2")
    monkeypatch.chdir("deep")
    assert found("HEAD") == {"deep/a": (b"1", b"2"), "b": (b"1", b"2")}
    assert set(found("HEAD", ".")) == {"deep/a"}


def test_a_revision_is_compared_with_the_disk(repo: Path) -> None:
    """Edits count whether they are staged or not; files that were only touched do not."""
    commit(a="1", b="1", c="1")
    Path("a").write_text("disk")
    Path("b").write_text("staged")
    git("add", "b")
    Path("c").write_text("1")
    assert found("HEAD") == {"a": (b"1", b"disk"), "b": (b"1", b"staged")}


def test_three_dots_compare_with_where_a_branch_began(repo: Path) -> None:
    """What the other side did since does not count; with two dots it does."""
    commit(a="1", b="1")
    git("checkout", "-q", "-b", "topic")
    commit(a="topic")
    git("checkout", "-q", "main")
    commit(b="main")
    git("checkout", "-q", "topic")
    assert found("main...topic") == {"a": (b"1", b"topic")}
    assert found("main...") == {"a": (b"1", b"topic")}
    assert found("main..topic") == {"a": (b"1", b"topic"), "b": (b"main", b"1")}


def test_no_hook_filter_or_helper_of_the_repository_runs(repo: Path) -> None:
    """A repository's own configuration starts no program."""
    commit(a="1")
    script = repo / "evil.sh"
    script.write_text(f"#!/bin/sh\ntouch {repo}/ran\ncat\n")
    script.chmod(0o755)
    for key in ("core.fsmonitor", "diff.external", "diff.x.textconv", "diff.x.command"):
        git("config", key, str(script))
    (repo / ".git" / "info").mkdir(exist_ok=True)
    (repo / ".git" / "info" / "attributes").write_text("* diff=x\n")
    Path("a").write_text("2")
    assert found("HEAD")["a"] == (b"1", b"2")
    assert not (repo / "ran").exists()


@pytest.mark.parametrize("where", ["attributes", "info", "include"])
@pytest.mark.parametrize("kind", ["clean", "process"])
def test_no_filter_of_the_repository_runs(repo: Path, where: str, kind: str) -> None:
    """A filter that the configuration names, itself or in another file, is not run to see whether a file changed.

    What it has is compared as it is staged, which is said; what no filter has is read from disk.
    """
    commit(a="1", b="1", c="1")
    script = repo / "evil.sh"
    script.write_text(f"#!/bin/sh\ntouch {repo}/ran\ncat\n")
    script.chmod(0o755)
    (repo / "more").write_text(f"[filter \"one\"]\n\t{kind} = {script}\n\trequired = true\n")
    git("config", *(("include.path", str(repo / "more")) if where == "include" else (f"filter.one.{kind}", str(script))))
    (repo / ".git" / "info").mkdir(exist_ok=True)
    place = repo / ".gitattributes" if where == "attributes" else repo / ".git" / "info" / "attributes"
    Path("b").write_text("staged")
    git("add", "b")
    for name in "abc":
        Path(name).write_text("on disk")
    place.write_text("a filter=one\nb filter=one\n")
    changed = list(changed_files("HEAD", env=os.environ))
    assert not (repo / "ran").exists()
    assert [one.path for one in changed if isinstance(one, Skipped) and "`one`" in one.reason] == ["a", "b"]
    assert {one.path: one.after for one in changed if isinstance(one, ChangedFile)} == {"b": b"staged", "c": b"on disk"}


def test_a_filter_that_is_not_there_is_none(repo: Path) -> None:
    """Where an attribute names a filter that nobody has configured, as on a machine without it, the file is read from disk."""
    commit(a="1", **{".gitattributes": "a filter=lfs"})
    Path("a").write_text("2")
    assert found("HEAD") == {"a": (b"1", b"2")}


@pytest.mark.parametrize(
    ("attributes", "autocrlf", "after"),
    [
        ("", "false", b"a\r\nb\r\n"),
        ("", "true", b"a\nb\n"),
        ("", "input", b"a\nb\n"),
        ("* text", "false", b"a\nb\n"),
        ("* text=auto", "false", b"a\nb\n"),
        ("* -text", "true", b"a\r\nb\r\n"),
        ("* binary", "true", b"a\r\nb\r\n"),
        ("* eol=crlf", "false", b"a\nb\n"),
        ("* text eol=crlf", "false", b"a\nb\n"),
        ("* -crlf", "true", b"a\r\nb\r\n"),
        ("* crlf", "false", b"a\nb\n"),
    ],
)
def test_line_ends_are_as_git_would_store_them(repo: Path, attributes: str, autocrlf: str, after: bytes) -> None:
    """A file on disk is compared as `git add` would take it, by the attributes and settings that git has."""
    git("config", "core.autocrlf", autocrlf)
    commit(**{".gitattributes": attributes + "\n"}, a="a\n")
    Path("a").write_bytes(b"a\r\nb\r\n")
    (change,) = (one for one in changed_files("HEAD", env=os.environ) if isinstance(one, ChangedFile))
    git("add", "a")
    stored = subprocess.run(["git", "cat-file", "blob", ":a"], check=True, capture_output=True).stdout
    assert change.after == stored == after


def test_line_ends_that_are_stored_stay(repo: Path) -> None:
    """Where the kind is guessed, a file that is stored with both characters keeps them, and so does one that looks binary."""
    Path("a").write_bytes(b"a\r\n")
    commit(b="1")
    git("config", "core.autocrlf", "true")
    Path("a").write_bytes(b"a\r\nb\r\n")
    Path("b").write_bytes(b"1\r\n2\r3")
    assert found("HEAD") == {"a": (b"a\r\n", b"a\r\nb\r\n"), "b": (b"1", b"1\r\n2\r3")}


def test_another_encoding_on_disk_is_stored_as_utf_8(repo: Path) -> None:
    """A file in the encoding its attribute names is compared in UTF-8."""
    commit(**{".gitattributes": "a working-tree-encoding=UTF-16LE"})
    Path("a").write_bytes("é".encode("utf-16-le"))
    git("add", "a")
    git("commit", "-q", "-m", "x")
    Path("a").write_bytes("éé".encode("utf-16-le"))
    assert found("HEAD") == {"a": ("é".encode(), "éé".encode())}


def test_a_path_that_names_nothing_is_a_usage_error(repo: Path) -> None:
    """A misspelt folder is named; a file that is deleted, and a folder that git does not know, are not misspelt."""
    commit(a="1", b="1")
    git("rm", "-q", "b")
    (repo / "untracked").mkdir()
    assert found(None, "a", "b", "untracked", ":!c") == {"b": (b"1", None)}
    for revision in (None, "HEAD", "HEAD..HEAD"):
        with pytest.raises(UsageError, match="`promts` names no file that git knows"):
            found(revision, "a", "promts")


def test_the_framework_names_the_range(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where pre-commit runs over a range, as in CI, what is staged is what that range changed."""
    commit(a="1")
    commit(a="2")
    for name, value in {"PRE_COMMIT": "1", "PRE_COMMIT_FROM_REF": "HEAD~1", "PRE_COMMIT_TO_REF": "HEAD"}.items():
        monkeypatch.setenv(name, value)
    assert found() == {"a": (b"1", b"2")}


@pytest.mark.parametrize("revision", ["nowhere", "--output=x", "HEAD~5", "nowhere...HEAD"])
def test_an_unknown_revision_is_a_usage_error(repo: Path, revision: str) -> None:
    """A name git does not know is named, and one that looks like an option is no option."""
    commit(a="1")
    with pytest.raises(UsageError, match="git knows no revision"):
        found(revision)
    assert not Path("x").exists()


def test_outside_a_repository_is_a_usage_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message is git's own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    with pytest.raises(UsageError, match="not a git repository"):
        found()


def test_a_bare_repository_is_a_usage_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is staged where there is no work tree."""
    subprocess.run(["git", "init", "-q", "--bare", str(tmp_path / "bare")], check=True)
    monkeypatch.chdir(tmp_path / "bare")
    with pytest.raises(UsageError, match="no work tree"):
        found()


def test_without_git_it_is_a_usage_error(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without git is told so."""
    monkeypatch.setenv("PATH", "")
    with pytest.raises(UsageError, match="git is not installed"):
        found()


def test_a_file_that_vanishes_from_disk_is_gone(repo: Path) -> None:
    """Deleted but not staged: after the change it costs nothing."""
    commit(a="1")
    Path("a").unlink()
    assert found("HEAD") == {"a": (b"1", None)}


def test_stopping_early_leaves_no_process(repo: Path) -> None:
    """The open git is ended with the iterator."""
    commit(a="1", b="1")
    Path("a").write_text("2")
    Path("b").write_text("2")
    changed = changed_files("HEAD", env=os.environ)
    assert isinstance(next(changed), ChangedFile)
    changed.close()  # type: ignore[attr-defined]  # it is a generator
