"""Carries requests out: plan, cache, attempts, fall-back; knows no command line."""

from deepsel.engine.prepare import Prepared, ensure_route, prepare
from deepsel.engine.run import Run, Tools

__all__ = ["Prepared", "Run", "Tools", "ensure_route", "prepare"]
