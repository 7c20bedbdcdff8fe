"""What a rule is: it reads a tree and names what breaks it; and how known breaches are set against findings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import NamedTuple

from source_tree import Tree


class Finding(NamedTuple):
    """One place that breaks a rule."""

    file: str
    line: int
    key: str
    """What stays the same when lines move: the file and the name that is at fault."""
    what: str
    size: int = 1
    """By how much: lines, parameters, files; 1 where there is nothing to measure."""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.what} (as `{self.key}`: {self.size})"


class Plan(NamedTuple):
    """Where what belongs. A file is named by its path in the package; a folder ends in `/`."""

    layers: tuple[tuple[str, ...], ...] = ()
    """Parts of the package, top to bottom: a part may import what stands on a lower line, or itself."""
    fences: Mapping[str, str] = {}
    """Library to the one file or folder that may import it."""
    private: Mapping[str, str] = {}
    """File to the one outside its own folder that may import it."""
    imports_by_name: Collection[str] = ()
    """Who may import what it has computed the name of."""
    vendor_words: Collection[str] = ()
    """Words by which vendors, gateways and wires are known."""
    vendor_rooms: Collection[str] = ()
    """Who may compare with them."""
    rooms: Mapping[str, Collection[str]] = {}
    """`print`, `environ`, `time` and `streams` to who may use them."""
    catch_all: Collection[str] = ()
    """`file:function` of each handler that may take every exception; it has to raise it again all the same."""
    known: Mapping[str, Mapping[str, int]] = {}
    """Rule to what breaks it today, and by how much: these lists only get shorter."""


Rule = Callable[[Tree, Plan], Iterator[Finding]]


def stands_in(file: str, rooms: Collection[str]) -> bool:
    """Whether a file is one of these, or in one of these folders."""
    return any(file == room or (room.endswith("/") and file.startswith(room)) for room in rooms)


def unexcused(findings: Collection[Finding], known: Mapping[str, int]) -> list[Finding]:
    """Leave out what is known, unless it has grown."""
    sizes = Counter[str]()
    for one in findings:
        sizes[one.key] += one.size
    return [one for one in findings if sizes[one.key] > known.get(one.key, 0)]


def outlived(findings: Collection[Finding], known: Mapping[str, int]) -> set[str]:
    """The known breaches that are none any more, or smaller ones."""
    sizes = Counter[str]()
    for one in findings:
        sizes[one.key] += one.size
    return {f"{key}: {sizes[key]}, not {size}" for key, size in known.items() if sizes[key] < size}
