"""Values of options that have to be one of some words, or a number within bounds; a wrong one is a UsageError that says so."""

from __future__ import annotations

from deepsel.errors import UsageError


def one_of(option: str, value: str, known: tuple[str, ...]) -> str:
    """Accept one of the known words."""
    if value in known:
        return value
    from deepsel.config import nearest_hint  # only a mistake needs it

    raise UsageError(f"`{option}` does not know `{value}`", nearest_hint(value, known))


def within(option: str, value: float | None, low: float, high: float) -> float | None:
    """Accept a number in [low, high]; None, where the option was not given, stays None."""
    if value is None or low <= value <= high:
        return value
    raise UsageError(f"`{option}` takes a number from {low:g} to {high:g}, not {value:g}")
