"""Makes the builders of the pricing tests importable."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "pricing"))  # pytest's importlib mode leaves folders' helpers out
