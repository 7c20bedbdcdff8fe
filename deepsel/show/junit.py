"""Results as JUnit XML, which continuous integration reads."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from html import escape

from deepsel.records import NamedTuple


class JUnitTest(NamedTuple):
    """One test of a suite."""

    class_name: str
    name: str
    failure: str | None = None
    """Why it failed; None where it passed."""
    time_s: float = 0.0


def junit(suite: str, tests: Sequence[JUnitTest], *, at: datetime) -> str:
    """Return a document with one suite, which began `at`."""
    failures = sum(test.failure is not None for test in tests)
    seconds = sum(test.time_s for test in tests)
    head = f'name="{_xml(suite)}" tests="{len(tests)}" failures="{failures}" errors="0" time="{seconds:.3f}"'
    body = "\n".join(map(_test, tests))
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<testsuites>\n'
        f'<testsuite {head} timestamp="{at:%Y-%m-%dT%H:%M:%S}">\n{body}\n</testsuite>\n</testsuites>\n'
    )


def _test(test: JUnitTest) -> str:
    """Write one test."""
    head = f'<testcase classname="{_xml(test.class_name)}" name="{_xml(test.name)}" time="{test.time_s:.3f}"'
    return f"{head}/>" if test.failure is None else f'{head}><failure message="{_xml(test.failure)}"/></testcase>'


def _xml(text: str) -> str:
    """Escape a text; XML has no form for control characters."""
    return escape("".join(char if char.isprintable() else " " for char in text))
