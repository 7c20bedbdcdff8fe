"""Says which known name a wrong one was meant to be."""

from __future__ import annotations

from collections.abc import Iterable


def nearest_hint(wrong: str, known: Iterable[str]) -> str:
    """Say which valid names are near a wrong one, or list them where they are few; empty where nothing helps."""
    import difflib

    names = list(dict.fromkeys(known))
    near = difflib.get_close_matches(wrong, names, n=3, cutoff=0.6) if wrong else []
    if near:
        return "did you mean " + " or ".join(f"`{name}`" for name in near) + "?"
    return "known names: " + ", ".join(names) if 0 < len(names) <= 30 else ""
