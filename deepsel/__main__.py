"""The program's entry: answers `--version` and what was answered before at once, hands everything else to the command line."""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Run deepsel with the process's arguments and exit with the documented code."""
    try:
        _main()
    except KeyboardInterrupt:  # while something is imported, too
        sys.exit(130)


def _main() -> None:
    if sys.argv[1:] == ["--version"]:
        from deepsel import __version__

        print(f"deepsel {__version__}")
        return
    from deepsel.cli.replay import replay

    if not replay(sys.argv[1:], os.environ):
        sys.exit(_run())


def _run() -> int:
    """Run the command line with the garbage collector out of the way: it took a fifth of a short command's time."""
    import gc

    gc.set_threshold(100_000)  # a start makes many objects and no garbage
    from deepsel.cli.app import run

    try:
        return run(sys.argv[1:])
    finally:
        gc.freeze()  # the process ends: there is nothing to look for


if __name__ == "__main__":
    main()
