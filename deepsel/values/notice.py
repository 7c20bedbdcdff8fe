"""What the user should know beside an answer."""

from __future__ import annotations

from deepsel.records import NamedTuple


class Notice(NamedTuple):
    """Something the user should know that did not stop the work."""

    code: str
    message: str
