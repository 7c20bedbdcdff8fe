"""deepsel: the right language model for each request, its exact cost, and honest latency figures, from the shell and from Python."""

__version__ = "0.1.0"

# The name alone is known to type checkers; `typing` would be most of what `import deepsel` takes.
TYPE_CHECKING = False

__all__ = [
    "Answer",
    "AttemptFailed",
    "CheckFailedError",
    "Client",
    "ConfigError",
    "DeepselError",
    "Event",
    "IncompleteError",
    "NoRouteError",
    "OverBudgetError",
    "ReasoningDelta",
    "RefusedError",
    "Report",
    "StoppedByUser",
    "TextDelta",
    "ToolCallDelta",
    "UnavailableError",
    "UsageError",
    "ask",
    "estimate",
    "price",
    "score",
    "stream",
]

if TYPE_CHECKING:
    from deepsel.client.client import Client, ask, estimate, price, stream
    from deepsel.client.streaming import Event
    from deepsel.errors import (
        AttemptFailed,
        CheckFailedError,
        ConfigError,
        DeepselError,
        IncompleteError,
        NoRouteError,
        OverBudgetError,
        RefusedError,
        StoppedByUser,
        UnavailableError,
        UsageError,
    )
    from deepsel.estimate.records import Report
    from deepsel.routing.difficulty import score
    from deepsel.values import Answer, ReasoningDelta, TextDelta, ToolCallDelta
else:
    import sys

    _HOMES = {
        "client.client": "Client ask estimate price stream",
        "client.streaming": "Event",
        "errors": "AttemptFailed CheckFailedError ConfigError DeepselError IncompleteError NoRouteError OverBudgetError RefusedError "
        "StoppedByUser UnavailableError UsageError",
        "estimate.records": "Report",
        "routing.difficulty": "score",
        "values": "Answer ReasoningDelta TextDelta ToolCallDelta",
    }

    def __getattr__(name: str) -> object:
        """Import a public name when it is first used: the command line needs none of them."""
        if name not in __all__:  # Python also looks here before it imports a module of the package by `from`
            raise AttributeError(f"module 'deepsel' has no attribute {name!r}")
        from deepsel.on_use import names_of

        return names_of(__name__, _HOMES)(name)

    def __dir__() -> list[str]:
        """Name what there is, imported or not."""
        return sorted({*globals(), *__all__})

    class _Face(type(sys)):
        """Keeps `deepsel.estimate` the verb: Python sets the name to the folder of the same name as soon as that is imported."""

        estimate = property(lambda _: __getattr__("estimate"), lambda *_: None)

    sys.modules[__name__].__class__ = _Face
