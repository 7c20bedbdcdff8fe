"""The earlier run that a new one is compared with."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from deepsel.bench.export_data import read_results
from deepsel.bench.records import Result
from deepsel.errors import UsageError


def read_baseline(path: Path) -> list[Result]:
    """Read an earlier run; raises UsageError where the file is none."""
    try:
        return read_results(path.read_text("utf-8"))
    except OSError as error:
        raise UsageError(f"cannot read `{path}`: {(error.strerror or 'input/output error').lower()}") from error
    except ValueError as error:
        raise UsageError(f"`{path}` {error}") from None


def check_baseline(path: Path, baseline: Sequence[Result], models: Sequence[str]) -> None:
    """Raise UsageError for a baseline of other models, before anything is paid for."""
    known = {one.case.model for one in baseline}
    if not known & set(models):
        raise UsageError(f"`{path}` holds none of the models to measure", f"it has {', '.join(sorted(known)) or 'none'}")
