"""The house as it stands: every rule holds but for what is known, and what is known is still so."""

from __future__ import annotations

import pytest
from house_plan import CATCH_ALL, FENCES, IMPORTS_BY_NAME, KNOWN, PACKAGE, PLAN, PRIVATE, ROOMS, RULES, VENDOR_ROOMS
from house_rules import outlived, stands_in, unexcused
from source_tree import Tree


@pytest.fixture(scope="module")
def tree() -> Tree:
    """The package as it is."""
    return Tree(PACKAGE)


@pytest.mark.parametrize("rule", RULES)
def test_rule_holds(tree: Tree, rule: str) -> None:
    """Nothing breaks the rule but what is known to, and that no worse than it did."""
    findings = unexcused(list(RULES[rule](tree, PLAN)), KNOWN.get(rule, {}))
    assert not findings, "\n" + "\n".join(map(str, findings))


@pytest.mark.parametrize("rule", KNOWN)
def test_what_is_known_is_still_so(tree: Tree, rule: str) -> None:
    """What no longer breaks a rule, or breaks it less, is taken out of the list, so that the list only gets shorter."""
    assert not outlived(list(RULES[rule](tree, PLAN)), KNOWN[rule])


@pytest.mark.parametrize("library", FENCES)
def test_each_fence_has_its_library(tree: Tree, library: str) -> None:
    """A library on the list is imported where the list says, so that the list holds no more than there is."""
    importers = [source.file for source in tree if library in {one.top for one in source.imports}]
    assert any(stands_in(file, (FENCES[library],)) for file in importers)


@pytest.mark.parametrize("file", PRIVATE)
def test_each_private_file_has_its_reader(tree: Tree, file: str) -> None:
    """The one who may import a private file does, so that the list holds no more than there is."""
    importers = [source.file for source in tree if any(file in tree.files_of(one) for one in source.imports)]
    assert PRIVATE[file] in importers


@pytest.mark.parametrize("room", sorted({*IMPORTS_BY_NAME, *VENDOR_ROOMS, *(one for rooms in ROOMS.values() for one in rooms)}))
def test_each_room_stands(tree: Tree, room: str) -> None:
    """A file or folder with a privilege is there."""
    assert any(stands_in(source.file, (room,)) for source in tree)


@pytest.mark.parametrize("place", CATCH_ALL)
def test_each_catch_all_is_one(tree: Tree, place: str) -> None:
    """A handler that may take every exception does: without its place in the list it would be found."""
    found = {one.key for one in RULES["handlers"](tree, PLAN._replace(catch_all=()))}
    assert place in found
