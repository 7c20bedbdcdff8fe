"""The rule on state: what a process remembers belongs to an object that somebody holds, never to a module."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from house_rules import Finding, Plan
from source_tree import Source, Tree

_CONTAINERS = frozenset(
    {"list", "dict", "set", "bytearray"}
    | {f"collections.{name}" for name in ("deque", "defaultdict", "Counter", "OrderedDict", "ChainMap")}
    | {f"weakref.{name}" for name in ("WeakKeyDictionary", "WeakValueDictionary", "WeakSet")}
)
_STATEFUL = frozenset(
    {f"threading.{n}" for n in ("Lock", "RLock", "Condition", "Event", "Semaphore", "BoundedSemaphore", "Barrier", "local", "Thread")}
    | {f"queue.{name}" for name in ("Queue", "SimpleQueue", "LifoQueue", "PriorityQueue")}
    | {"contextvars.ContextVar", "itertools.count", "itertools.cycle", "iter", "builtins.open", "random.Random"}
)
_CHANGING = frozenset(
    {"append", "extend", "insert", "remove", "pop", "clear", "sort", "reverse", "add", "discard", "update", "setdefault"}
    | {"popitem", "appendleft", "extendleft", "popleft", "rotate", "subtract", "move_to_end", "intersection_update"}
    | {"difference_update", "symmetric_difference_update", "__setitem__", "__delitem__", "__iadd__", "__ior__"}
)
_CACHES = frozenset({"functools.cache", "functools.lru_cache"})
_UNCHANGING_BASES = ("NamedTuple", "Enum", "Protocol", "TypedDict", "Exception")


def module_state(tree: Tree, plan: Plan) -> Iterator[Finding]:
    """No `global`; no module-level container that a function changes; no module-level lock, object or impure cache."""
    for source in tree:
        for node in source.each(ast.Global):
            for name in node.names:
                yield Finding(source.file, node.lineno, f"{source.file}:{name}", f"binds the global `{name}` anew")
        yield from _objects(tree, source)
        yield from _changes(tree, source)
        yield from _caches(source)


def _objects(tree: Tree, source: Source) -> Iterator[Finding]:
    """Locks, counters and objects of our own classes that stand at the top of a file."""
    for name, value in source.bindings.items():
        if not isinstance(value, ast.Call):
            continue
        made = source.dotted(value.func)
        if made in _STATEFUL:
            yield Finding(source.file, value.lineno, f"{source.file}:{name}", f"`{name}` is a {made} of the whole process")
        elif _can_change(tree, source, made):
            yield Finding(source.file, value.lineno, f"{source.file}:{name}", f"`{name}` is an object that can change")


def _can_change(tree: Tree, source: Source, made: str) -> bool:
    """Whether that is one of the package's classes whose objects are not frozen."""
    module, _, name = made.rpartition(".")
    file = tree.file_of(module) if module else source.file
    definition = tree.sources[file].classes.get(name) if file else None
    if definition is None:
        return False
    words = " ".join(ast.unparse(node) for node in (*definition.bases, *definition.decorator_list))
    return "frozen=True" not in words and not any(base in words for base in _UNCHANGING_BASES)


def _changes(tree: Tree, source: Source) -> Iterator[Finding]:
    """What functions do to the containers, classes, functions and modules of a file."""
    for node in source.each(ast.Call):
        if isinstance(node.func, ast.Attribute) and node.func.attr in _CHANGING:
            yield from _change(tree, source, node.func.value, node.lineno)
    for node in source.each(ast.Subscript):
        if isinstance(node.ctx, ast.Store | ast.Del):
            yield from _change(tree, source, node.value, node.lineno)
    for node in source.each(ast.AugAssign):
        yield from _change(tree, source, node.target, node.lineno)
    for node in source.each(ast.Attribute):
        if isinstance(node.ctx, ast.Store | ast.Del) and isinstance(node.value, ast.Name) and _is_shared(source, node.value):
            key = f"{source.file}:{node.value.id}.{node.attr}"
            yield Finding(source.file, node.lineno, key, f"sets `{node.value.id}.{node.attr}` for the whole process")


def _is_shared(source: Source, owner: ast.Name) -> bool:
    """Whether a function names one of its file's classes or functions, or something imported."""
    if not source.is_in_function(owner) or source.is_local(owner):
        return False
    own = {node.name for node in source.module.body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    return owner.id in own or owner.id in source.origins


def _change(tree: Tree, source: Source, target: ast.expr, line: int) -> Iterator[Finding]:
    """Report a change, made in a function, of a container at the top of this file or of another."""
    if not source.is_in_function(target):
        return
    found = tree.bound(source, target)
    if found is not None and _is_container(*found):
        name = source.dotted(target).rpartition(".")[2]
        yield Finding(source.file, line, f"{source.file}:{name}", f"changes `{name}` of {found[0].file} for the whole process")


def _is_container(source: Source, value: ast.expr) -> bool:
    displays = (ast.List, ast.Dict, ast.Set, ast.ListComp, ast.DictComp, ast.SetComp)
    return isinstance(value, displays) or (isinstance(value, ast.Call) and source.dotted(value.func) in _CONTAINERS)


def _caches(source: Source) -> Iterator[Finding]:
    """A cache for ever suits what depends on its arguments alone: not a file's content, nor what has to be cleared."""
    for node in source.each(ast.FunctionDef):
        marks = {source.dotted(mark.func if isinstance(mark, ast.Call) else mark) for mark in node.decorator_list}
        paths = [one.arg for one in node.args.args if one.annotation and "Path" in ast.unparse(one.annotation)]
        if marks & _CACHES and paths:
            yield Finding(source.file, node.lineno, f"{source.file}:{node.name}", "remembers a file as it once was")
    for node in source.each(ast.Attribute):
        if node.attr == "cache_clear":
            yield Finding(source.file, node.lineno, f"{source.file}:cache_clear", "empties a cache, which is state then")
