"""Compares every rate of the catalog with other price lists: `python scripts/prices/compare.py`; exit 1 on a disagreement.

Install the lists first, without what they depend on (`[dependency-groups] prices` of pyproject.toml):
`pip install --no-deps --upgrade litellm genai-prices`. A disagreement is mended in the catalog, or explained by a row of
`deepsel/catalog/data/differs.json`. A row holds for the figures it names alone, and one that explains nothing any more fails too.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
from lists import STANDARD, Asked, Listing, PriceList, installed

from deepsel import catalog
from deepsel.catalog import Catalog
from deepsel.catalog.files import read_data
from deepsel.catalog.holidays import is_holiday
from deepsel.catalog.rows import SERVICE_TIERS
from deepsel.values import Model, PriceRule

MAKERS = ("deepseek", "qwen", "mistral", "anthropic", "openai")
_SMALL = 1_000
_HOURS = (2, 12)
"""UTC, on a working day: within DeepSeek's peak hours, and outside of them."""


@dataclass(frozen=True)
class Disagreement:
    """One rate that a list gives another figure for."""

    asked: Asked
    member: str
    """Of a price row, or `retires`."""
    ours: Decimal | date | None
    """None: the catalog does not know it."""
    our_source: str
    theirs: Decimal | date
    price_list: PriceList

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What a row of `differs.json` is found by."""
        return self.price_list.name, self.asked.id, self.asked.tier, self.member

    def __str__(self) -> str:
        """Name the field, both figures and both sources."""
        asked, unit = self.asked, "" if isinstance(self.theirs, date) else " USD per 1M tokens"
        when = f"{asked.tier}, {asked.input_tokens:,} tokens, {asked.at:%Y-%m-%d %H:%M} UTC"
        return (
            f"{asked.id} `{self.member}` ({when}): the catalog has {written(self.ours)} ({self.our_source or 'no source'}), "
            f"{self.price_list.name} {self.price_list.version} has {written(self.theirs)}{unit}"
        )


def written(figure: Decimal | date | None) -> str:
    """Write a figure as a row of `differs.json` has it."""
    return "nothing" if figure is None else f"{figure:%Y-%m-%d}" if isinstance(figure, date) else f"{figure.normalize():f}"


@dataclass(frozen=True)
class Comparison:
    """What came of comparing the catalog with some lists."""

    compared: int
    """Rates that both sides have."""
    unexplained: tuple[Disagreement, ...]
    stale: tuple[str, ...]
    """Rows of `differs.json` that explain nothing."""

    @property
    def problems(self) -> list[str]:
        """What has to be mended, in sentences."""
        return [*map(str, self.unexplained), *self.stale]


def compare(known: Catalog, lists: Sequence[PriceList], notes: Sequence[Mapping[str, Any]], *, today: datetime) -> Comparison:
    """Compare every rate of every maker's model at every size, hour and tier at which it may differ."""
    compared, found = 0, []
    for asked, model in _questions(known, lists, today):
        ours = catalog.rule_at(model, at=asked.at, input_tokens=asked.input_tokens, service_tier=asked.tier)
        for price_list in lists:
            listing = price_list.look_up(asked)
            if listing is not None:
                compared += len(listing.rates)
                found += _disagreements(asked, ours, listing, price_list)
                if asked.tier == STANDARD and listing.retires not in (None, model.retires):
                    found.append(Disagreement(asked, "retires", model.retires, model.note, listing.retires, price_list))
    unique = {(one.key, one.ours, one.theirs): one for one in reversed(found)}  # the first size and hour stand for the others
    used = {place for one in unique.values() for place, note in enumerate(notes) if _explains(note, one)}
    unexplained = [one for one in unique.values() if not any(_explains(note, one) for note in notes)]
    names = {price_list.name for price_list in lists}
    stale = [note for place, note in enumerate(notes) if place not in used and note["list"] in names]
    return Comparison(compared, tuple(reversed(unexplained)), tuple(f"explains nothing any more: {note}" for note in stale))


def _questions(known: Catalog, lists: Sequence[PriceList], today: datetime) -> Iterator[tuple[Asked, Model]]:
    """Yield what is asked of each list, and the row that answers for the catalog."""
    instants = _instants(today)
    for model in known.models.values():
        if model.provider not in MAKERS or not model.prices:
            continue
        for wire_id in (model.id, *model.aliases):
            first = Asked(model.provider, wire_id, instants[-1], _SMALL)
            bounds = {rule.up_to_input_tokens for rule in model.prices if rule.up_to_input_tokens is not None}
            bounds |= {bound for one in lists if (listing := one.look_up(first)) for bound in listing.bounds}
            for at in instants:
                if not any(_is_valid(rule, at) for rule in model.prices):
                    continue  # a price that is history: lists hold no dates to compare it by
                for size in _sizes(bounds, most=model.max_input or model.context_window):
                    yield from ((first._replace(at=at, input_tokens=size, tier=tier), model) for tier in SERVICE_TIERS)


def _sizes(bounds: Iterable[int], *, most: int | None) -> list[int]:
    """Choose a small prompt and those on either side of each bound, as far as the model takes them."""
    sizes = {_SMALL, *(size for bound in bounds for size in (bound, bound + 1))}
    return sorted(size for size in sizes if most is None or size <= most)


def _is_valid(rule: PriceRule, at: datetime) -> bool:
    return (rule.valid_from is None or rule.valid_from <= at) and (rule.valid_to is None or at < rule.valid_to)


def _instants(today: datetime) -> list[datetime]:
    """Choose the hours of the next working day: peak hours are on those alone."""
    day = today
    while day.isoweekday() > 5 or is_holiday("china", day.date()):
        day += timedelta(days=1)
    return [day.replace(hour=hour, minute=0, second=0, microsecond=0) for hour in _HOURS]


def _disagreements(asked: Asked, ours: PriceRule | None, listing: Listing, price_list: PriceList) -> Iterator[Disagreement]:
    for member, theirs in listing.rates.items():
        own = getattr(ours, member) if ours is not None else None
        if own is None and (theirs == 0 or _is_as_output(member, ours, theirs)):
            continue  # no charge of its own is what an absent rate means too
        if own != theirs:
            yield Disagreement(asked, member, own, ours.source if ours else "", theirs, price_list)


def _is_as_output(member: str, ours: PriceRule | None, theirs: Decimal) -> bool:
    return member == "reasoning_output" and ours is not None and ours.output == theirs


def _explains(note: Mapping[str, Any], one: Disagreement) -> bool:
    key = (note["list"], note["id"], note.get("tier", STANDARD), note["member"])
    return key == one.key and written(one.theirs) in note["theirs"]


def notes() -> list[dict[str, Any]]:
    """Return the rows of `differs.json`."""
    rows: list[dict[str, Any]] = read_data("differs.json")["differs"]
    return rows


def main() -> int:
    """Compare and say what was found."""
    lists = installed()
    if not lists:
        sys.stderr.write("neither list is installed: pip install --no-deps --upgrade litellm genai-prices\n")
        return 1
    result = compare(Catalog(), lists, notes(), today=datetime.now(UTC))
    names = " and ".join(f"{one.name} {one.version}" for one in lists)
    for problem in result.problems:
        sys.stdout.write(f"{problem}\n")
    sys.stdout.write(f"{result.compared:,} rates compared with {names}: {len(result.problems)} to mend or explain\n")
    return 1 if result.problems else 0


if __name__ == "__main__":
    sys.exit(main())
