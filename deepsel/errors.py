"""The error tree and the exit codes; the texts are the raiser's.

DeepselError                 any failure a person can act on
├── UsageError          2    the command line, or an argument of a call, cannot be understood
├── ConfigError         3    profiles.toml, an environment variable or a key is missing or wrong
├── AttemptFailed       4/5  one call to one model ended badly (the engine records it; the last one may reach the user)
├── RefusedError        4    every provider that was asked refused: key, request, quota or content
├── UnavailableError    5    no provider could be reached, or each failed on its side
├── NoRouteError        6    no candidate can take the request
├── OverBudgetError     7    the projected cost is over a limit; nothing was sent
├── IncompleteError     8    the answer is not whole: what came was printed, or is the error's `answer`
├── CheckFailedError    9    a threshold the user set was crossed
└── StoppedByUser      130  the user pressed Ctrl-C, or the process was asked to end

Code 1 is a bug of ours: anything outside this tree.
"""

from __future__ import annotations

from enum import IntEnum, StrEnum
from typing import Any, ClassVar

OTHER_HOME = "set DEEPSEL_HOME to a folder of yours"
"""The way out where deepsel's files cannot be used."""


class ExitCode(IntEnum):
    """What the process tells its caller; each but OK and BUG belongs to one error class."""

    OK = 0
    BUG = 1
    USAGE = 2
    CONFIG = 3
    REFUSED = 4
    UNAVAILABLE = 5
    NO_ROUTE = 6
    OVER_BUDGET = 7
    INCOMPLETE = 8
    CHECK_FAILED = 9
    INTERRUPTED = 130


class ErrorClass(StrEnum):
    """Why an attempt failed (providers' dialects mapped onto one list)."""

    RATE_LIMITED = "rate_limited"
    OVERLOADED = "overloaded"
    SERVER = "server"
    NETWORK = "network"
    STALLED = "stalled"
    STREAM_CUT = "stream_cut"
    MALFORMED = "malformed"
    EMPTY = "empty"
    TRUNCATED = "truncated"
    SCHEMA = "schema"
    BILLING = "billing"
    AUTH = "auth"
    BAD_REQUEST = "bad_request"
    CONTEXT_OVERFLOW = "context_overflow"
    CONTENT_POLICY = "content_policy"

    @property
    def is_retryable(self) -> bool:
        """Whether the same target may be asked again with the same request."""
        return self in _RETRYABLE

    @property
    def is_refusal(self) -> bool:
        """Whether the provider said no for good, so that waiting does not help."""
        return self in _REFUSALS


_RETRYABLE = frozenset(
    {
        ErrorClass.RATE_LIMITED,
        ErrorClass.OVERLOADED,
        ErrorClass.SERVER,
        ErrorClass.NETWORK,
        ErrorClass.STALLED,
        ErrorClass.STREAM_CUT,
        ErrorClass.MALFORMED,
        ErrorClass.EMPTY,
    }
)
_REFUSALS = frozenset(
    {
        ErrorClass.BILLING,
        ErrorClass.AUTH,
        ErrorClass.BAD_REQUEST,
        ErrorClass.CONTEXT_OVERFLOW,
        ErrorClass.CONTENT_POLICY,
    }
)


class DeepselError(Exception):
    """Any failure a person can act on; `message` says what happened, `hint` what to do (may be empty)."""

    exit_code: ClassVar[ExitCode] = ExitCode.BUG
    is_recorded: bool = False
    """Whether the record on stdout holds it."""
    retry_after_s: float | None = None
    """Seconds a provider asked to be left alone for; None: nobody said."""
    answer: Any = None
    """What a Python caller's request came to, a `values.Answer`: attempts, cost, text as far as it came; None: nothing was asked."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    @property
    def kind(self) -> str:
        """Its class as records name it where they name no attempt's: the name of the exit code."""
        return self.exit_code.name.lower()


class UsageError(DeepselError):
    """The command line, or an argument of a call, cannot be understood."""

    exit_code = ExitCode.USAGE


class ConfigError(DeepselError):
    """A configuration file, an environment variable or a key is missing or wrong."""

    exit_code = ExitCode.CONFIG


class RefusedError(DeepselError):
    """Every provider that was asked refused: key, request, quota or content."""

    exit_code = ExitCode.REFUSED


class UnavailableError(DeepselError):
    """No provider could be reached, or each failed on its side."""

    exit_code = ExitCode.UNAVAILABLE


class NoRouteError(DeepselError):
    """No candidate can take the request; the message names each with its reason."""

    exit_code = ExitCode.NO_ROUTE
    reasons: frozenset[str] = frozenset()
    """Why candidates were refused, each in one word of `routing.candidates.Reason`."""


class OverBudgetError(DeepselError):
    """The projected cost is over a limit the user set; nothing was sent."""

    exit_code = ExitCode.OVER_BUDGET


class IncompleteError(DeepselError):
    """The answer is not whole: what came was printed, or is the error's `answer`."""

    exit_code = ExitCode.INCOMPLETE


class CheckFailedError(DeepselError):
    """A threshold the user set was crossed."""

    exit_code = ExitCode.CHECK_FAILED
    is_recorded = True
    """It stands in the report, which comes first."""


class StoppedByUser(DeepselError):
    """The user pressed Ctrl-C, or the system asked the process to end; what had come is kept."""

    exit_code = ExitCode.INTERRUPTED


class AttemptFailed(DeepselError):
    """One call to one model ended badly."""

    exit_code = ExitCode.UNAVAILABLE

    def __init__(
        self,
        error_class: ErrorClass,
        message: str,
        *,
        http_status: int | None = None,
        code: str | None = None,
        retry_after_s: float | None = None,
        should_retry: bool | None = None,
        hint: str = "",
    ) -> None:
        super().__init__(message, hint)
        self.error_class = error_class
        self.http_status = http_status
        """Status of the response; None where none came. 200 where the error stood inside one."""
        self.code = code
        """The provider's own code or type, as text."""
        self.retry_after_s = retry_after_s
        """Seconds the provider asked us to stay away from this target; None where it said nothing usable."""
        self.should_retry = should_retry
        """The provider's explicit word on retrying (`x-should-retry`); None where it gave none."""
        self.request_id: str | None = None
        self.is_loading = False
        """Whether the target is only starting, or loading the model: it will answer, and nothing is wrong with it."""
        self.names: tuple[str, ...] = ()
        """Members of the request that the provider complains of, where it names them apart from its words."""
