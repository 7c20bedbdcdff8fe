"""A package that hands names on and imports each when it is first used: a command starts with what it needs, not with all there is."""

# The name alone is known to type checkers; `import deepsel` is to take next to nothing.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def names_of(package: str, homes: "Mapping[str, str]") -> "Callable[[str], object]":
    """Return the `__getattr__` of `package` (PEP 562); `homes` is what each of its modules has, the names with spaces between.

    A name that was asked for is an attribute from then on. Raises AttributeError for a name that no module has.
    """
    home_of = {name: f"{package}.{home}" for home, names in homes.items() for name in names.split()}

    def found(name: str) -> object:
        if name not in home_of:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        from importlib import import_module

        value = getattr(import_module(home_of[name]), name)
        setattr(import_module(package), name, value)
        return value

    return found
