"""Files that are put in place: whole or not at all, private, and nothing left beside them."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepsel.storage import files


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_what_is_written_is_private(tmp_path: Path, umask: int) -> None:
    """A file is its owner's alone, and a folder too, whatever the umask; another mode is given as it is."""
    before = os.umask(umask)
    try:
        files.make_private_folder(tmp_path / "deep" / "er")
        files.write_whole(tmp_path / "deep" / "er" / "one", b"1")
        assert files.write_new(tmp_path / "deep" / "er" / "two", b"2")
        files.write_whole(tmp_path / "deep" / "er" / "three", b"3", mode=0o644)
    finally:
        os.umask(before)
    assert mode_of(tmp_path / "deep" / "er") == 0o700
    assert {path.name: mode_of(path) for path in (tmp_path / "deep" / "er").iterdir()} == {
        "one": 0o600, "two": 0o600, "three": 0o644,
    }  # fmt: skip


@given(old=st.binary(max_size=100), new=st.binary(max_size=1 << 17))
def test_a_file_is_replaced_by_exactly_what_was_given(tmp_path_factory: pytest.TempPathFactory, old: bytes, new: bytes) -> None:
    """The new bytes stand in the file, with the time that was asked for, and no other file is left."""
    folder = tmp_path_factory.mktemp("files")
    path = folder / "file"
    path.write_bytes(old)
    files.write_whole(path, new, modified_at=1_000_000_000.5)
    assert path.read_bytes() == new
    assert path.stat().st_mtime == 1_000_000_000.5
    assert [*folder.iterdir()] == [path]


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    """Where the name cannot be taken, what was there stays and no draft is left over."""
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError, match="directory"):
        files.write_whole(tmp_path / "folder", b"x")
    with pytest.raises(OSError, match="No such file"):
        files.write_whole(tmp_path / "nowhere" / "file", b"x")
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def test_of_several_who_create_one_succeeds(tmp_path: Path) -> None:
    """A file that is there is not replaced: of twenty who try at once one does it, and its text stays whole."""
    with ThreadPoolExecutor(20) as pool:
        done = [*pool.map(lambda number: files.write_new(tmp_path / "file", str(number).encode() * 5000), range(20))]
    assert done.count(True) == 1
    assert (tmp_path / "file").read_bytes() == str(done.index(True)).encode() * 5000
    assert len([*tmp_path.iterdir()]) == 1


def test_a_killed_writer_leaves_a_whole_file(tmp_path: Path) -> None:
    """A reader beside a writer that is killed at any moment sees one of the versions, never a part."""
    code = (
        "import sys; from deepsel.storage import files\n"
        "while True:\n"
        "    for letter in b'ab': files.write_whole(sys.argv[1], bytes([letter]) * 300_000, is_durable=False)\n"
    )
    path = tmp_path / "file"
    path.write_bytes(b"a" * 300_000)
    writer = subprocess.Popen([sys.executable, "-c", code, path])
    try:
        for _ in range(300):
            found = path.read_bytes()
            assert found in (b"a" * 300_000, b"b" * 300_000)
    finally:
        writer.send_signal(signal.SIGKILL)
        writer.wait(60)
    assert path.read_bytes() in (b"a" * 300_000, b"b" * 300_000)


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    """Where a file has the folder's name, that is an error, not a folder."""
    (tmp_path / "file").touch()
    with pytest.raises(FileExistsError):
        files.make_private_folder(tmp_path / "file")


def test_a_version_is_one_that_no_writer_can_repeat(tmp_path: Path) -> None:
    """As many other bytes in the same file under its old times are another version; looking changes none; none is None."""
    path = tmp_path / "file"
    path.write_text("red")
    found, times = files.version(path), path.stat()
    assert files.version(path) == found is not None
    assert path.read_text() == "red"
    time.sleep(0.05)
    with path.open("r+") as file:
        file.write("RED")
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert path.stat().st_mtime_ns == times.st_mtime_ns
    assert files.version(path) != found
    assert files.version(tmp_path / "none") is None


def test_what_is_no_file_is_not_opened(tmp_path: Path) -> None:
    """A pipe without another end, a folder and a device are errors with words, at once; and so is a file larger than it can be."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "file").write_bytes(b"0123456789")
    for path in (tmp_path / "pipe", tmp_path, Path("/dev/zero")):
        for flags in (os.O_RDONLY, os.O_WRONLY | os.O_APPEND):
            with pytest.raises(OSError) as refused:
                files.open_own(path, flags)
            assert refused.value.strerror
    assert files.read_own(tmp_path / "file", most_bytes=10) == b"0123456789"
    with pytest.raises(OSError, match="larger than 9 bytes"):
        files.read_own(tmp_path / "file", most_bytes=9)


@given(data=st.binary(max_size=300_000), read_at_once=st.integers(500, 100_000))
def test_all_goes_into_a_pipe_that_must_not_be_waited_for(data: bytes, read_at_once: int) -> None:
    """Whatever its reader takes at a time, all of it arrives, in order."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    found = bytearray()

    def read() -> None:
        while chunk := os.read(reader, read_at_once):
            found.extend(chunk)

    thread = threading.Thread(target=read)
    thread.start()
    files.write_all(writer, data)
    os.close(writer)
    thread.join()
    os.close(reader)
    assert bytes(found) == data


def test_patience_has_an_end() -> None:
    """With a limit a pipe that nobody reads is given up; without a reader it is an error at once."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    with pytest.raises(BlockingIOError):
        files.write_all(writer, b"x" * (1 << 21), patience_s=0.05)
    os.close(reader)
    with pytest.raises(BrokenPipeError):
        files.write_all(writer, b"x")
    os.close(writer)
