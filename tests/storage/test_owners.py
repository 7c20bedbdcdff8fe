"""Whose a file is: modes, owners, links, sticky folders, and the groups that have only one member."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from deepsel.storage.owners import fault

IS_ROOT = os.geteuid() == 0
as_root = pytest.mark.skipif(not IS_ROOT, reason="only root can give a file away")
STRANGER = 12345


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.touch(mode=0o600)
    return path


@pytest.mark.parametrize(("mode", "is_open"), [(0o600, False), (0o644, False), (0o755, False), (0o602, True), (0o777, True)])
def test_what_others_may_change_is_not_believed(mine: Path, mode: int, is_open: bool) -> None:
    """Reading by others is no matter here, writing is; the way to mend it is a command that does."""
    mine.chmod(mode)
    found = fault(mine)
    assert (found is not None) is is_open
    if found:
        assert "changed by other users" in found.what
        assert f"`chmod go-w {mine}`" in found.mend
        mine.chmod(mode & ~0o022)
        assert fault(mine) is None


@as_root
def test_a_group_with_others_may_not_write(mine: Path) -> None:
    """A group's right to write counts where the group has, or may have, other members than the user."""
    mine.chmod(0o660)
    assert fault(mine) is None  # root's own group
    os.chown(mine, -1, 1)
    assert fault(mine) is not None


@as_root
def test_the_owner_is_the_user_or_root(mine: Path) -> None:
    """What belongs to somebody else is not believed, be it private; root's is, for whoever runs."""
    os.chown(mine, STRANGER, -1)
    found = fault(mine)
    assert found is not None
    assert f"belongs to another user ({STRANGER})" in found.what
    assert f"`chown {os.geteuid()} {mine}`" in found.mend
    mine.parent.chmod(0o755)
    child = os.fork()
    if child == 0:
        os.setuid(STRANGER + 1)
        os._exit(fault("/etc/passwd", "/") is not None)
    assert os.waitpid(child, 0)[1] == 0


@as_root
def test_a_link_is_its_target_and_itself(mine: Path, tmp_path: Path) -> None:
    """A link that a stranger put there is his choice of a file; a link of one's own is as good as what it leads to."""
    link = tmp_path / "link"
    link.symlink_to(mine)
    assert fault(link) is None
    os.chown(link, STRANGER, -1, follow_symlinks=False)
    assert fault(link) is not None
    os.chown(link, 0, -1, follow_symlinks=False)
    mine.chmod(0o666)
    assert fault(link) is not None


def test_a_sticky_folder_is_good_enough(tmp_path: Path) -> None:
    """As /tmp: everybody may add to it, nobody may exchange what is another's."""
    tmp_path.chmod(0o777)
    assert fault(tmp_path) is not None
    tmp_path.chmod(0o1777)
    assert fault(tmp_path) is None


def test_the_first_fault_is_told(mine: Path, tmp_path: Path) -> None:
    """Of several paths the first bad one is named; what is not there is no fault."""
    assert fault(tmp_path / "none", mine) is None
    mine.chmod(0o666)
    other = tmp_path / "other"
    other.touch()
    other.chmod(0o666)
    found = fault(tmp_path / "none", mine, other)
    assert found is not None
    assert str(mine) in str(found)
    assert str(other) not in str(found)
