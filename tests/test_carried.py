"""What goes wrong in a thread is raised where it is waited for."""

from __future__ import annotations

import threading

import pytest

from deepsel.carried import Carried


def test_the_first_error_is_raised_by_the_one_who_waits() -> None:
    """Any error of a thread, a bug too, is kept quietly, and the first one is raised; where there is none, nothing is."""
    carried = Carried()
    carried.raise_it()
    assert not carried

    def work(error: Exception) -> None:
        with carried:
            raise error

    for error in (ZeroDivisionError("first"), KeyError("second")):
        thread = threading.Thread(target=work, args=(error,))
        thread.start()
        thread.join()
    assert carried
    with pytest.raises(ZeroDivisionError, match="first"):
        carried.raise_it()
