"""The program's entry: answers `--version` and what was answered before at once, hands everything else to the command line."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal as signals
else:
    import _signal as signals  # of which `signal` is made in some milliseconds


def _leave(_number: int, _frame: object) -> None:
    """End at once, without a word."""
    os._exit(130)


# At the import, which only the program's start does: until a command runs there is nothing to keep, and a traceback helps nobody.
if signals.getsignal(signals.SIGINT) is signals.default_int_handler:
    signals.signal(signals.SIGINT, _leave)


def main() -> None:
    """Run deepsel with the process's arguments and exit with the documented code."""
    try:
        _main()
    except KeyboardInterrupt:  # while something is imported, too
        sys.exit(130)


def _main() -> None:
    if sys.argv[1:] in (["--version"], ["-V"]) and _has_told_version():
        return
    if sys.platform == "win32":
        sys.exit(_run())  # which says that it cannot
    from deepsel.cli.replay.replay import replay

    if replay(sys.argv[1:], os.environ):
        return
    sys.exit(_run())


def _has_told_version() -> bool:
    """Print the version; what hinders it is said by the command line."""
    from deepsel import __version__

    told = f"deepsel {__version__}\n".encode()
    try:
        return sys.stdout is not None and os.write(1, told) == len(told)
    except OSError:
        return False


def _run() -> int:
    """Run the command line with the garbage collector out of the way: it took a fifth of a short command's time."""
    import gc

    gc.set_threshold(100_000)  # a start makes many objects and no garbage
    from deepsel.errors import ConfigError
    from deepsel.platforms import ensure_supported

    try:
        ensure_supported()  # before anything is imported that needs it
    except ConfigError as error:
        sys.stderr.write(f"error: {error.message}\n\nhint: {error.hint}\n")
        return error.exit_code
    from deepsel.cli.app import run
    from deepsel.ending import INTERRUPTED, Ending

    try:
        with Ending():
            return run(sys.argv[1:])
    except KeyboardInterrupt:  # while the end of another kind was being told
        return INTERRUPTED
    finally:
        signals.signal(signals.SIGINT, signals.SIG_IGN)  # all is told: whoever is impatient now gets the same exit code
        gc.freeze()  # the process ends: there is nothing to look for


if __name__ == "__main__":
    main()
