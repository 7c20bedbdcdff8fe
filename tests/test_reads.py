"""What the user names is read in bounded memory, whatever it is."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from deepsel.reads import read_file


def test_a_file_is_read_to_its_end(tmp_path: Path) -> None:
    """A file of just so many bytes is read, one of a byte more is refused in words."""
    path = tmp_path / "file"
    path.write_bytes(b"x" * 10)
    assert read_file(path, most_bytes=10) == b"x" * 10
    with pytest.raises(OSError, match="larger than 9 bytes"):
        read_file(path, most_bytes=9)


def test_what_has_no_end_is_refused(tmp_path: Path) -> None:
    """A device, and a file of ten gigabytes that holds nothing, are larger than allowed."""
    sparse = tmp_path / "sparse"
    with sparse.open("wb") as file:
        file.truncate(10 << 30)
    for path in (Path("/dev/zero"), sparse):
        with pytest.raises(OSError, match="larger than 4,194,304 bytes"):
            read_file(path, most_bytes=4 << 20)


def test_a_pipe_is_read_as_it_is_written(tmp_path: Path) -> None:
    """A named pipe is read to its writer's end, who may come later and be slow."""
    path = tmp_path / "pipe"
    os.mkfifo(path)

    def write() -> None:
        with path.open("wb") as file:
            for _ in range(3):
                file.write(b"x" * 100_000)
                file.flush()

    writer = threading.Thread(target=write)
    writer.start()
    assert read_file(path, most_bytes=1 << 20) == b"x" * 300_000
    writer.join()


def test_a_pipe_nobody_writes_into_is_no_hang(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a while without a writer the pipe is refused."""
    monkeypatch.setattr("deepsel.reads._PATIENCE_MS", 20)
    path = tmp_path / "pipe"
    os.mkfifo(path)
    with pytest.raises(OSError, match="nobody writes into it"):
        read_file(path, most_bytes=10)


@pytest.mark.parametrize("name", ["a\0b", "n" * 300, "d/" * 3000, "missing"])
def test_names_that_cannot_be_are_errors_of_the_system(tmp_path: Path, name: str) -> None:
    """A name with a null character, or one that is too long, is an OSError like a file that is not there."""
    with pytest.raises(OSError, match=r"null|too long|No such"):
        read_file(f"{tmp_path}/{name}", most_bytes=10)
