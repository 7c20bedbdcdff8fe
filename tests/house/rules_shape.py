"""Rules on size, words and names: what a reader can hold in mind."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator

from house_rules import Finding, Plan
from source_tree import Source, Tree

FUNCTION_LINES, PARAMETERS, FILE_LINES, FOLDER_FILES = 60, 7, 350, 20
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def functions(tree: Tree, plan: Plan) -> Iterator[Finding]:
    """A function has at most 60 lines and 7 parameters; a command's options are one of them, its record."""
    for source in tree:
        for node in source.each(*_FUNCTIONS):
            parameters = _parameters(node)
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > FUNCTION_LINES:
                yield Finding(source.file, node.lineno, f"{source.file}:{node.name} lines", f"{node.name} has {lines} lines", lines)
            if parameters > PARAMETERS:
                what = f"{node.name} has {parameters} parameters"
                yield Finding(source.file, node.lineno, f"{source.file}:{node.name} parameters", what, parameters)


def _parameters(node: ast.FunctionDef) -> int:
    """How many parameters a caller sees."""
    given = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
    is_method = bool(given) and given[0].arg in ("self", "cls")
    return len(given) - is_method + bool(node.args.vararg) + bool(node.args.kwarg)


def files(tree: Tree, plan: Plan) -> Iterator[Finding]:
    """A file does one job in at most 350 lines and says which in its first; a folder has at most 20 files."""
    folders = Counter(source.file.rpartition("/")[0] for source in tree)
    for folder, count in folders.items():
        if count > FOLDER_FILES:
            yield Finding(f"{folder}/", 0, f"{folder}/", f"has {count} files", count)
    for source in tree:
        if len(source.lines) > FILE_LINES:
            yield Finding(source.file, FILE_LINES, source.file, f"has {len(source.lines)} lines", len(source.lines))
        if not ast.get_docstring(source.module):
            yield Finding(source.file, 1, f"{source.file}:docstring", "does not say what it is for")


def documented(tree: Tree, plan: Plan) -> Iterator[Finding]:
    """Every public class, function and method has a docstring."""
    for source in tree:
        for owner in (source.module, *source.classes.values()):
            for node in owner.body:
                if isinstance(node, (ast.ClassDef, *_FUNCTIONS)) and not node.name.startswith("_") and not ast.get_docstring(node):
                    yield Finding(source.file, node.lineno, f"{source.file}:{node.name}", f"{node.name} has no docstring")


def class_names(tree: Tree, plan: Plan) -> Iterator[Finding]:
    """A public class has its name to itself, but for a Protocol and the classes that have all its methods."""
    found: dict[str, list[tuple[Source, ast.ClassDef]]] = {}
    for source in tree:
        for name, node in source.classes.items():
            if not name.startswith("_"):
                found.setdefault(name, []).append((source, node))
    for name, places in found.items():
        protocols = [node for _, node in places if any("Protocol" in ast.unparse(base) for base in node.bases)]
        if len(places) > 1 and not (len(protocols) == 1 and all(_has_methods(node, protocols[0]) for _, node in places)):
            where = ", ".join(source.file for source, _ in places)
            source, node = places[-1]
            yield Finding(source.file, node.lineno, name, f"{len(places)} classes are called {name}: {where}", len(places))


def _has_methods(node: ast.ClassDef, protocol: ast.ClassDef) -> bool:
    own, wanted = ({one.name for one in each.body if isinstance(one, _FUNCTIONS)} for each in (node, protocol))
    return bool(wanted) and wanted <= own
