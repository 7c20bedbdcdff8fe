"""What plain text is drawn on: how wide it is and which characters it has. Who reads is asked elsewhere."""

from __future__ import annotations

from deepsel.records import NamedTuple


class Screen(NamedTuple):
    """A terminal, or what stands in for one: a pipe and a file are as wide as an old terminal."""

    columns: int = 80
    has_blocks: bool = True
    """Whether it can show U+2581 to U+258F."""
