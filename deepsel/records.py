"""Named tuples as `typing` makes them, in half the time: a command makes some ninety kinds of record before it does anything.

`typing` makes an object of each field's type and compiles its text, which nothing here reads (docs/decisions/0031).
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NamedTuple as NamedTuple
else:
    from collections import namedtuple

    class _NamedTupleMeta(type):
        """Makes the class of a record from the annotations and the values of the class that is written."""

        def __new__(cls, name, _bases, space):
            """Return the tuple's class, with the fields' types as they stand and every method and property."""
            fields = space.get("__annotations__", {})
            made = namedtuple(name, fields, defaults=[space[field] for field in fields if field in space], module=space["__module__"])
            made.__annotations__ = fields
            for key, value in space.items():
                if key not in fields and key not in ("__annotations__", "__module__"):
                    setattr(made, key, value)
            return made

    NamedTuple = type.__new__(_NamedTupleMeta, "NamedTuple", (), {})
