"""The table of batch APIs, by the name that a lane's row has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from deepsel.wires.batches import anthropic_batches, mistral_jobs, openai_files, openrouter_batches

if TYPE_CHECKING:
    from deepsel.wires.batches.records import BatchApi

APIS: Mapping[str, BatchApi] = {
    "openai-files": openai_files,
    "anthropic-batches": anthropic_batches,
    "mistral-jobs": mistral_jobs,
    "openrouter-batches": openrouter_batches,
}
