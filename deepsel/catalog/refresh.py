"""Compares a published price list with the catalog and makes the overlay that takes over what is new; pure.

A price row's conditions (hours, holidays, tiers) are kept and only its numbers change, since most lists know fewer
conditions than the catalog. Where a list's conditions do not fit the row's, the catalog's prices stay and that is said. So
does a figure that `differs.json` explains: the list has long said otherwise, and is known to be wrong.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from deepsel.catalog.files import read_data
from deepsel.catalog.refresh_sources import Offer, OfferedRate
from deepsel.catalog.rows import price_rules_from
from deepsel.records import NamedTuple

LARGEST_FACTOR = 10
"""A price that moves further, either way, is a mistake until somebody says otherwise."""

_Row = dict[str, Any]


class PriceChange(NamedTuple):
    """One number that is new."""

    model: str
    label: str
    """The row's name, such as `peak`; empty where there is only one."""
    member: str
    old: Decimal | None
    """None: it was unknown. For a model that is new at a gateway: its maker's price."""
    new: Decimal
    is_new_model: bool = False

    @property
    def is_suspicious(self) -> bool:
        """Whether it moves too far, or becomes free."""
        if self.old is None or self.old == 0:
            return False
        return self.new == 0 or not Decimal(1) / LARGEST_FACTOR <= self.new / self.old <= LARGEST_FACTOR


class Refresh(NamedTuple):
    """What a list means for the catalog."""

    source: str
    changes: tuple[PriceChange, ...]
    unchanged: tuple[str, ...]
    """Models whose prices are confirmed."""
    kept: Mapping[str, str]
    """Model to why the list's prices were not taken over."""
    rows: Mapping[str, _Row]
    """Model to the members that are laid over its row."""

    @property
    def suspicious(self) -> tuple[PriceChange, ...]:
        """The changes nobody should take over unseen; of a new model, only where it is no free variant."""
        return tuple(one for one in self.changes if one.is_suspicious and not (one.is_new_model and one.new == 0))


def compare(rows: Mapping[str, _Row], offers: Sequence[Offer], *, source: str, at: datetime) -> Refresh:
    """Compare offers with the catalog's raw rows by provider and id."""
    ids = {(row["provider"], wire_id): name for name, row in rows.items() for wire_id in (row["id"], *row.get("aliases", ()))}
    changes: list[PriceChange] = []
    unchanged, kept, overlay = [], {}, {}
    for offer in offers:
        name = ids.get((offer.provider, offer.id))
        if name is None and offer.is_all_taken:
            name = f"{offer.provider}/{offer.id}"
            twin = rows.get(_twin(offer.id))
            overlay[name], found = _new_row(offer, name, twin, _twin(offer.id), source=source, at=at)
            changes += found
        elif name is not None and name not in overlay and rows[name]["id"] == offer.id:
            prices, found, why = _rerated(rows[name], name, _believed(offer, source), source=source, at=at)
            changes += found
            if why:
                kept[name] = why
            else:
                overlay[name] = {"prices": prices}
                unchanged += [] if found else [name]
    return Refresh(source, tuple(changes), tuple(unchanged), kept, overlay)


def _believed(offer: Offer, source: str) -> list[OfferedRate]:
    """Leave out the figures of a list for which the catalog says why they are wrong."""
    wrong = {
        (row["member"], Decimal(figure))
        for row in read_data("differs.json")["differs"]
        if row["id"] == offer.id and source.startswith(row["list"])
        for figure in row["theirs"]
    }
    return [
        band._replace(rates={member: rate for member, rate in band.rates.items() if (member, rate) not in wrong})
        for band in offer.bands
    ]


def _twin(wire_id: str) -> str:
    """Name the maker's model behind a gateway's id."""
    return wire_id.rpartition("/")[2].partition(":")[0]


def _new_row(
    offer: Offer, name: str, twin: _Row | None, twin_name: str, *, source: str, at: datetime
) -> tuple[_Row, list[PriceChange]]:
    """Make the row of a gateway's model; what its maker asks is what its price is measured by."""
    row: _Row = {"provider": offer.provider, "id": offer.id}
    if twin is not None:
        row["like"] = twin_name
    elif offer.context_window is not None:
        row["context_window"] = offer.context_window
    row["prices"] = [_fresh(band, source=source, at=at) for band in offer.bands]
    known = _current(twin, at)[:1] if twin is not None else []
    makers = known[0] if known else {}
    changes = [
        PriceChange(name, "", member, _decimal(makers.get(member)), price, is_new_model=True)
        for member, price in offer.bands[0].rates.items()
        if member in ("input", "output")
    ]
    return row, changes


def _rerated(
    row: _Row, name: str, bands: Sequence[OfferedRate], *, source: str, at: datetime
) -> tuple[list[_Row], list[PriceChange], str]:
    """Put a list's numbers into a model's price rows; the third value says why that cannot be done."""
    everything, current = list(row.get("prices", [])), _current(row, at)
    if not current:
        fresh = [_fresh(band, source=source, at=at) for band in bands]
        found = [
            PriceChange(name, one.get("label", ""), member, None, price)
            for one, band in zip(fresh, bands, strict=True)
            for member, price in band.rates.items()
        ]
        return [*fresh, *everything], found, ""
    pairs = _paired(current, bands)
    if pairs is None:
        rates = [band.rates for band in bands]
        if len(bands) == 1 and any(not _differences(one, rates[0]) for one in current):
            return everything, [], ""
        return everything, [], f"the list has {len(bands)} price{'s' * (len(bands) > 1)}, the catalog {len(current)} with conditions"
    changes = [
        PriceChange(name, one.get("label", ""), member, old, new)
        for one, band in pairs
        for member, (old, new) in _differences(one, band.rates).items()
    ]
    stamp = {"source": source, "checked": at.date().isoformat()}
    if not changes:
        return [{**one, **stamp} if one in current else one for one in everything], [], ""
    begins = {"valid_from": at.strftime("%Y-%m-%dT%H:%MZ")}
    renewed = [
        {**_unpromised(one), **{member: f"{rate:f}" for member, rate in band.rates.items()}, **stamp, **begins}
        for one, band in pairs
    ]
    # What a tier of its own costs went with the price that is over: from now on it is a multiple, or unknown.
    standard = [one for one in everything if one.get("service_tier", "standard") == "standard"]
    return [*renewed, *standard], changes, ""


def _unpromised(row: _Row) -> _Row:
    """Return the row without what the maker promised of its price."""
    return {member: value for member, value in row.items() if member != "guaranteed_until"}


def _current(row: _Row, at: datetime) -> list[_Row]:
    """Return the standard rows in force on the day, without those a row before them hides."""
    found: dict[tuple[Any, ...], _Row] = {}
    for raw, rule in zip(row.get("prices", []), price_rules_from(row.get("prices", [])), strict=True):
        begun = rule.valid_from is None or rule.valid_from <= at
        if begun and (rule.valid_to is None or at < rule.valid_to) and rule.service_tier == "standard":
            found.setdefault((rule.up_to_input_tokens, rule.hours, rule.weekdays, rule.not_on), raw)
    return list(found.values())


def _paired(current: Sequence[_Row], bands: Sequence[OfferedRate]) -> list[tuple[_Row, OfferedRate]] | None:
    """Pair rows with bands of the same conditions; None where they do not fit each other."""
    is_timed = any(one.get("hours") for one in current)

    def key(one: _Row) -> tuple[int | None, str]:
        kind = ("peak" if one.get("hours") else "off_peak") if is_timed else "flat"
        return (one.get("up_to_input_tokens"), kind)

    by_key = {(band.up_to_input_tokens, band.kind): band for band in bands}
    keys = [key(one) for one in current]
    if len(set(keys)) != len(keys) or len(keys) != len(bands):
        return None
    if set(keys) != set(by_key):
        # A list may close its last tier where the catalog leaves it open, or the other way round.
        opened = {(None if band is bands[-1] else band.up_to_input_tokens, band.kind): band for band in bands}
        keys = [(None, kind) if place == len(keys) - 1 else (bound, kind) for place, (bound, kind) in enumerate(keys)]
        if is_timed or set(keys) != set(opened):
            return None
        by_key = opened
    return [(one, by_key[found]) for one, found in zip(current, keys, strict=True)]


def _differences(one: _Row, rates: Mapping[str, Decimal]) -> dict[str, tuple[Decimal | None, Decimal]]:
    """Return the members whose numbers differ; what a list does not tell, and reasoning at the output's price, do not count."""
    found = {member: (_decimal(one.get(member)), new) for member, new in rates.items()}
    if one.get("reasoning_output") is None and rates.get("reasoning_output") == rates.get("output"):
        found.pop("reasoning_output", None)
    return {member: (old, new) for member, (old, new) in found.items() if old != new}


def _fresh(band: OfferedRate, *, source: str, at: datetime) -> _Row:
    """Make a price row of a band."""
    row: _Row = {member: f"{rate:f}" for member, rate in band.rates.items()}
    if band.up_to_input_tokens is not None:
        row |= {"up_to_input_tokens": band.up_to_input_tokens, "label": f"up to {band.up_to_input_tokens:,} tokens"}
    return {**row, "source": source, "checked": at.date().isoformat()}


def _decimal(value: Any) -> Decimal | None:
    return None if value is None else Decimal(str(value))
