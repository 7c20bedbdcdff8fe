"""Rules on what code does: no branch by vendor, the outside world in its rooms, no state of a process, no lost error."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from house_rules import Finding, Plan, stands_in
from source_tree import Source, Tree

ROOM_OF = {
    **dict.fromkeys(("builtins.print", "builtins.input"), "print"),
    **dict.fromkeys(("os.environ", "os.environb", "os.getenv", "os.getenvb", "os.putenv", "os.unsetenv"), "environ"),
    **dict.fromkeys(
        ("sys.stdin", "sys.stdout", "sys.stderr", "sys.__stdin__", "sys.__stdout__", "sys.__stderr__", "sys.argv"), "streams"
    ),
    **dict.fromkeys(("datetime.datetime.now", "datetime.datetime.utcnow", "datetime.datetime.today", "datetime.date.today"), "time"),
}
_TEXT_TESTS = frozenset({"startswith", "endswith", "removeprefix", "removesuffix", "find", "index", "count", "partition"})
_BROAD = frozenset({"builtins.Exception", "builtins.BaseException", "Exception", "BaseException"})


def rooms(tree: Tree, plan: Plan) -> Iterator[Finding]:
    """The screen, the environment, the clock and the standard streams are touched only in their rooms."""
    for source in tree:
        for node in source.each(ast.Name, ast.Attribute):
            name = source.dotted(node)
            is_clock = name.startswith("time.") and name.count(".") == 1 and _imports_time(source)
            room = ROOM_OF.get(name) or ("time" if is_clock else None)
            is_own = isinstance(node, ast.Name) and (isinstance(node.ctx, ast.Store) or source.is_local(node))
            if room is None or is_own:
                continue
            if not stands_in(source.file, plan.rooms.get(room, ())):
                name = name.removeprefix("builtins.")
                yield Finding(source.file, node.lineno, f"{source.file}:{name}", f"uses {name} outside the rooms of `{room}`")


def _imports_time(source: Source) -> bool:
    """Whether `time.` in a file is the module, not a variable's name."""
    return any(one.module == "time" for one in source.imports)


def vendor_branches(tree: Tree, plan: Plan) -> Iterator[Finding]:
    """Nothing outside the vendors' rooms is decided by comparing with the name of a vendor, a gateway or a wire."""
    for source in tree:
        if stands_in(source.file, plan.vendor_rooms):
            continue
        for node in source.each(ast.Compare, ast.MatchValue, ast.MatchMapping, ast.Call, ast.Dict):
            for text in _compared(tree, source, node):
                if any(word in text.lower() for word in plan.vendor_words):
                    key = f"{source.file}:{source.function_of(node)}"
                    yield Finding(source.file, node.lineno, key, f"compares with `{text}`")


def _compared(tree: Tree, source: Source, node: ast.AST) -> Iterator[str]:
    """The texts a node compares something with."""
    if isinstance(node, ast.Compare):
        for operand in (node.left, *node.comparators):
            yield from _texts(tree, source, operand)
    elif isinstance(node, ast.MatchValue):
        yield from _texts(tree, source, node.value)
    elif isinstance(node, ast.MatchMapping):
        for key in node.keys:
            yield from _texts(tree, source, key)
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _TEXT_TESTS:
        for given in (node.func.value, *node.args):
            yield from _texts(tree, source, given)
    elif isinstance(node, ast.Dict) and source.is_in_function(node):
        parent = next(source.above(node))  # `{"vendor": this}[name]` and `{...}.get(name)` are branches too
        if isinstance(parent, ast.Subscript | ast.Attribute):
            for key in node.keys:
                yield from _texts(tree, source, key) if key else ()


def _texts(tree: Tree, source: Source, node: ast.AST, depth: int = 0) -> Iterator[str]:
    """The literal texts an operand is made of, those behind a constant's name too."""
    if isinstance(node, ast.Constant):
        if isinstance(node.value, str):
            yield node.value
    elif isinstance(node, ast.Tuple | ast.List | ast.Set | ast.JoinedStr | ast.BinOp | ast.Dict | ast.Starred):
        parts = node.keys if isinstance(node, ast.Dict) else ast.iter_child_nodes(node)
        for part in parts:
            yield from _texts(tree, source, part, depth) if part else ()
    elif isinstance(node, ast.Call):
        if isinstance(node.func, ast.Name) and node.func.id in ("frozenset", "set", "tuple", "list", "Wire", "str"):
            for given in node.args:
                yield from _texts(tree, source, given, depth)
    elif isinstance(node, ast.Name | ast.Attribute) and depth < 3:
        found = tree.bound(source, node)
        if found is not None:
            yield from _texts(tree, *found, depth + 1)


def handlers(tree: Tree, plan: Plan) -> Iterator[Finding]:
    """Only a listed handler takes every exception, and it raises it again at its end, whatever happens in it."""
    for source in tree:
        for node in source.each(ast.ExceptHandler):
            kinds = [ast.Name("BaseException")] if node.type is None else [node.type]
            if isinstance(node.type, ast.Tuple):
                kinds = list(node.type.elts)
            if not {source.dotted(kind) for kind in kinds} & _BROAD:
                continue
            key = f"{source.file}:{source.function_of(node)}"
            if key not in plan.catch_all:
                yield Finding(source.file, node.lineno, key, "takes every exception")
            elif not _raises_at_its_end(node):
                yield Finding(source.file, node.lineno, key, "takes every exception and does not always raise it again")
        for node in source.each(ast.Call):
            if source.dotted(node.func) == "contextlib.suppress" and {source.dotted(kind) for kind in node.args} & _BROAD:
                key = f"{source.file}:{source.function_of(node)}"
                yield Finding(source.file, node.lineno, key, "suppresses every exception")


def _raises_at_its_end(handler: ast.ExceptHandler) -> bool:
    """Whether the last statement is a bare `raise` that nothing before it can leave out."""
    last = handler.body[-1]
    if not isinstance(last, ast.Raise) or last.exc is not None:
        return False
    return not any(isinstance(node, ast.Return | ast.Break | ast.Continue) for node in ast.walk(handler))
