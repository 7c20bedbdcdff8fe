"""Text from outside as it may be shown: without anything that a screen obeys, or that hides what stands there."""

from __future__ import annotations

from functools import cache

_KEPT = "\n\t"
_MARK = "\ufffd"
"""Stands where something was that has no look of its own."""
# Hidden characters: joints, fillers, embeddings, overrides and isolates (CVE-2021-42574), tags and the selectors that carry text
# unseen. The joiners and plain direction marks stay, which scripts and emoji need, and so do a character's selectors 1 to 16.
_HIDDEN = (
    *((0xAD, 0xAD), (0x34F, 0x34F), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180E, 0x180E), (0x200B, 0x200B), (0x2028, 0x202E)),
    *((0x2060, 0x206F), (0x3164, 0x3164), (0xFEFF, 0xFEFF), (0xFFA0, 0xFFA0), (0xFFF0, 0xFFFB), (0x1BCA0, 0x1BCA3)),
    *((0x1D173, 0x1D17A), (0xE0000, 0xE0FFF)),
)
_FIRST_SELECTOR, _LAST_SELECTOR = "\ufe00", "\ufe0f"


@cache
def _table() -> dict[int, int | str | None]:
    """Map C0 and DEL to visible pictures, C1 and what hides itself to a mark."""
    table: dict[int, int | str | None] = {code: 0x2400 + code for code in range(0x20) if chr(code) not in _KEPT}
    table[0x7F] = 0x2421
    table.update(dict.fromkeys(range(128, 160), _MARK))
    for first, last in _HIDDEN:
        table.update(dict.fromkeys(range(first, last + 1), _MARK))
    return table


def plain(text: str) -> str:
    """Return `text` without anything that moves the cursor, changes colours, rings, or hides itself.

    Carriage returns before line feeds vanish; every other control character is shown as its picture.
    """
    if text.isascii() and text.isprintable():
        return text
    shown = text.replace("\r\n", "\n").translate(_table())
    if text.isascii() or not any(_FIRST_SELECTOR <= sign <= _LAST_SELECTOR for sign in shown):
        return shown
    return _without_strays(shown)


def _without_strays(text: str) -> str:
    """Mark each selector that follows another: one says how a character looks, more of them say something nobody sees."""
    import re

    return re.sub(f"(?<=[{_FIRST_SELECTOR}-{_LAST_SELECTOR}])[{_FIRST_SELECTOR}-{_LAST_SELECTOR}]", _MARK, text)
