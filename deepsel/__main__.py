"""The program's entry: answers `--version` and what was answered before at once, hands everything else to the command line."""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Run deepsel with the process's arguments and exit with the documented code."""
    if sys.argv[1:] == ["--version"]:
        from deepsel import __version__

        print(f"deepsel {__version__}")
        return
    from deepsel.cli.replay import replay

    try:
        if replay(sys.argv[1:], os.environ):
            return
    except KeyboardInterrupt:
        sys.exit(130)
    from deepsel.cli.app import run

    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
