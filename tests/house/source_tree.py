"""A package read from its sources: files, nodes, imports and names; knows no rule."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from functools import cache, cached_property
from pathlib import Path
from typing import Any, NamedTuple

STANDARD = sys.stdlib_module_names | {"_sha2", "_sha256"}  # the two are one module, named by Python's version
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


class Import(NamedTuple):
    """One name that a file imports, wherever in it the import stands."""

    line: int
    module: str
    member: str = ""
    """What is taken from the module; empty for the module itself."""
    level: int = 0
    is_for_types: bool = False
    """Stands under `if TYPE_CHECKING`."""

    @property
    def top(self) -> str:
        """The library's name."""
        return self.module.split(".")[0]

    @property
    def name(self) -> str:
        """The whole dotted name."""
        return f"{self.module}.{self.member}" if self.member else self.module


class Source:
    """One file, parsed once."""

    def __init__(self, file: str, text: str) -> None:
        """Parse `text`; `file` is its path in the package."""
        self.file = file
        self.part = file.split("/")[0].removesuffix(".py")
        self.lines = text.splitlines()
        self.module = ast.parse(text)
        self._by_type: dict[type, list[Any]] = {}
        self._parents: dict[ast.AST, ast.AST] = {}
        for node in ast.walk(self.module):
            self._by_type.setdefault(type(node), []).append(node)
            self._parents.update(dict.fromkeys(ast.iter_child_nodes(node), node))

    def each(self, *types: type[ast.AST]) -> Iterator[Any]:
        """Every node of exactly these types."""
        for one in types:
            yield from self._by_type.get(one, ())

    def above(self, node: ast.AST) -> Iterator[ast.AST]:
        """What a node stands in, from the inside out."""
        while node in self._parents:
            node = self._parents[node]
            yield node

    def function_of(self, node: ast.AST) -> str:
        """The name of the innermost function around a node, of the class where there is none, else `module`."""
        named = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
        return next((one.name for one in self.above(node) if isinstance(one, named)), "module")

    def is_in_function(self, node: ast.AST) -> bool:
        """Whether a node runs when something is called, not when the file is imported."""
        return any(isinstance(one, FUNCTIONS) for one in self.above(node))

    @cached_property
    def imports(self) -> tuple[Import, ...]:
        """Every import, those by `import_module("literal")` too."""
        found = []
        for node in self.each(ast.Import, ast.ImportFrom):
            for_types = any(isinstance(one, ast.If) and "TYPE_CHECKING" in ast.unparse(one.test) for one in self.above(node))
            for alias in node.names:
                if isinstance(node, ast.Import):
                    found.append(Import(node.lineno, alias.name, is_for_types=for_types))
                else:
                    found.append(Import(node.lineno, node.module or "", alias.name, node.level, for_types))
        found += [Import(line, name) for line, name in self.imports_by_name if name]
        return tuple(found)

    @cached_property
    def imports_by_name(self) -> tuple[tuple[int, str], ...]:
        """Line and module of every `import_module(...)` and `__import__(...)`; an empty module where it is computed."""
        found = []
        for node in self.each(ast.Call):
            if self.dotted(node.func) in ("importlib.import_module", "builtins.__import__"):
                given = node.args[0] if node.args else None
                is_literal = isinstance(given, ast.Constant) and isinstance(given.value, str)
                found.append((node.lineno, given.value if is_literal else ""))
        return tuple(found)

    @cached_property
    def origins(self) -> dict[str, str]:
        """Imported name to the dotted name that it stands for."""
        names = {name: f"builtins.{name}" for name in ("print", "input", "open", "__import__")}
        for node in self.each(ast.Import, ast.ImportFrom):
            for alias in node.names:
                if isinstance(node, ast.ImportFrom):
                    names[alias.asname or alias.name] = f"{node.module}.{alias.name}"
                elif alias.asname:
                    names[alias.asname] = alias.name
                else:
                    top = alias.name.split(".")[0]
                    names[top] = top
        return names

    def dotted(self, node: ast.AST) -> str:
        """What an expression like `os.environ` names, aliases of imports resolved; empty where it is no name."""
        if isinstance(node, ast.Attribute):
            owner = self.dotted(node.value)
            return f"{owner}.{node.attr}" if owner else ""
        if isinstance(node, ast.Name):
            return self.origins.get(node.id, node.id)
        return ""

    @cached_property
    def bindings(self) -> dict[str, ast.expr]:
        """Name to value of each assignment at the top of the file."""
        values: dict[str, ast.expr] = {}
        for node in self.module.body:
            if isinstance(node, ast.Assign):
                values |= {target.id: node.value for target in node.targets if isinstance(target, ast.Name)}
            elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None:
                values[node.target.id] = node.value
        return values

    @cached_property
    def classes(self) -> dict[str, ast.ClassDef]:
        """Name to definition of each class at the top of the file."""
        return {node.name: node for node in self.module.body if isinstance(node, ast.ClassDef)}

    def is_local(self, node: ast.Name) -> bool:
        """Whether a name belongs to a function around it and not to the file."""
        return any(node.id in _own_names(one) for one in self.above(node) if isinstance(one, FUNCTIONS))


@cache
def _own_names(function: ast.AST) -> frozenset[str]:
    """The parameters of a function and what it assigns."""
    names = {node.arg for node in ast.walk(function) if isinstance(node, ast.arg)}
    names |= {node.id for node in ast.walk(function) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    shared = {name for node in ast.walk(function) if isinstance(node, ast.Global) for name in node.names}
    return frozenset(names - shared)


@cache
def _parsed(file: str, text: str) -> Source:
    """Parse a file once, however many trees it stands in."""
    return Source(file, text)


class Tree:
    """All files of a package."""

    def __init__(self, package: Path) -> None:
        """Read the package in that folder."""
        self.name = package.name
        paths = sorted(package.rglob("*.py"))
        self.sources = {
            (file := path.relative_to(package).as_posix()): _parsed(file, path.read_text("utf-8")) for path in paths
        }

    def __iter__(self) -> Iterator[Source]:
        return iter(self.sources.values())

    def file_of(self, module: str) -> str | None:
        """The file of one of the package's own modules; None where there is none."""
        if module.split(".")[0] != self.name:
            return None
        stem = "/".join(module.split(".")[1:])
        names = (f"{stem}.py", f"{stem}/__init__.py") if stem else ("__init__.py",)
        return next((name for name in names if name in self.sources), None)

    def files_of(self, one: Import) -> list[str]:
        """The files an import reads: a submodule that is named as a member, and the folder's own file it is asked of."""
        found = [self.file_of(f"{one.module}.{one.member}") if one.member else None, self.file_of(one.module)]
        return [file for file in found if file]

    def bound(self, source: Source, node: ast.AST) -> tuple[Source, ast.expr] | None:
        """What a name in a file was set to, at the top of that file or of the one it is imported from; None: unknown."""
        dotted = source.dotted(node)
        if not dotted or (isinstance(node, ast.Name) and source.is_local(node)):
            return None
        module, _, name = dotted.rpartition(".")
        file = self.file_of(module) if module else source.file
        owner = self.sources[file] if file else None
        return (owner, owner.bindings[name]) if owner and name in owner.bindings else None
