"""How much of one request's time a shared server may take."""

from __future__ import annotations


class Patience:
    """What one request has lost to a server so far."""

    __slots__ = ("lost_s", "most_s")

    def __init__(self, *, most_s: float = float("inf")) -> None:
        """`most_s` is how long it may wait for replies that come late: a part of its own time."""
        self.most_s = most_s
        self.lost_s = 0.0
        """Waited so far; endless after a reply that did not come."""
