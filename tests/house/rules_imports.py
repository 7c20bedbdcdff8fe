"""Rules on imports: fences round libraries, layers, cycles of files, imports by name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from house_rules import Finding, Plan, stands_in
from source_tree import STANDARD, Tree


def fences(tree: Tree, plan: Plan) -> Iterator[Finding]:
    """A library from outside is listed, and imported only where the list says."""
    for source in tree:
        for one in source.imports:
            if one.level or one.top == tree.name or one.top in STANDARD:
                continue
            room = plan.fences.get(one.top)
            if room is None or not stands_in(source.file, (room,)):
                why = f"belongs to {room}" if room else "is no listed library"
                yield Finding(source.file, one.line, f"{source.file}:{one.top}", f"imports {one.top}, which {why}")


def private(tree: Tree, plan: Plan) -> Iterator[Finding]:
    """A file that keeps something to itself is imported by its own folder, and by the one file that the list names."""
    for source in tree:
        for one in source.imports:
            for file in tree.files_of(one):
                folder = file.rpartition("/")[0] + "/"
                if file in plan.private and not stands_in(source.file, (file, folder, plan.private[file])):
                    yield Finding(source.file, one.line, f"{source.file}:{file}", f"imports {file}, which is its folder's own")


def layers(tree: Tree, plan: Plan) -> Iterator[Finding]:
    """Imports go downwards, those for types too; every part of the package has its place.

    The package's own `__init__` shows type checkers what it hands on by name, from whichever line that comes.
    """
    ranks = {name: rank for rank, names in enumerate(plan.layers) for name in names}
    for source in tree:
        if source.part not in ranks:
            yield Finding(source.file, 1, source.part, f"{source.part} has no place in the layers")
            continue
        for one in source.imports:
            if one.level:
                yield Finding(source.file, one.line, f"{source.file}:relative", "imports by a relative name")
            elif one.top == tree.name:
                there = [*one.name.split("."), "__init__"][1]
                there = there if there in ranks else "__init__"
                is_shown = source.file == "__init__.py" and one.is_for_types
                if there != source.part and not is_shown and ranks[there] <= ranks[source.part]:
                    key = f"{source.file}:{one.name}"
                    yield Finding(source.file, one.line, key, f"{source.part} imports {one.name}, which is not below it")


def cycles(tree: Tree, plan: Plan) -> Iterator[Finding]:
    """No file leads back to itself by its imports, wherever in it they stand; imports for types are not run."""
    edges: dict[str, dict[str, int]] = {}
    for source in tree:
        edges[source.file] = {}
        for one in source.imports:
            if not one.is_for_types:
                for file in tree.files_of(one):
                    edges[source.file].setdefault(file, one.line)
    for group in _circles(edges):
        for file in sorted(group):
            back, line = next((there, edges[file][there]) for there in sorted(edges[file]) if there in group)
            others = ", ".join(sorted(group - {file}))
            yield Finding(file, line, f"{file}:{back}", f"imports {back} and is imported by it in the end, in a circle with {others}")


def _circles(edges: Mapping[str, Mapping[str, int]]) -> list[set[str]]:
    """The sets of files that reach each other (Tarjan's strongly connected components of more than one file, or of
    one that imports itself)."""
    order: dict[str, int] = {}
    lowest: dict[str, int] = {}
    stack: list[str] = []
    found: list[set[str]] = []

    def visit(file: str) -> None:
        order[file] = lowest[file] = len(order)
        stack.append(file)
        for there in edges[file]:
            if there not in order:
                visit(there)
            if there in stack:
                lowest[file] = min(lowest[file], lowest[there])
        if lowest[file] == order[file]:
            group = set(stack[stack.index(file) :])
            del stack[stack.index(file) :]
            if len(group) > 1 or file in edges[file]:
                found.append(group)

    for file in edges:
        if file not in order:
            visit(file)
    return found


def imports_by_name(tree: Tree, plan: Plan) -> Iterator[Finding]:
    """What is imported by a computed name is seen by no other rule, so one file alone may do it."""
    for source in tree:
        for line, name in source.imports_by_name:
            if not name and not stands_in(source.file, plan.imports_by_name):
                yield Finding(source.file, line, f"{source.file}:import_module", "imports a module whose name it computes")


