"""Puts the counts that providers report in place of the offline ones, model by model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from deepsel import config
from deepsel.clock import Clock
from deepsel.estimate.reading.exact import with_exact_counts
from deepsel.estimate.records import Reading
from deepsel.providers.counting import can_count, count_tokens
from deepsel.providers.transport import HttpTransport
from deepsel.secret import KnownSecrets
from deepsel.values import Model, Notice, Provider


def ask_providers(
    reading: Reading, models: Sequence[Model], *, providers: Mapping[str, Provider], env: Mapping[str, str], clock: Clock
) -> Reading:
    """Replace the counts of each vocabulary by those its provider reports; a notice says where it has no count endpoint.

    `providers` are by name; keys are looked for in `env`. Raises ConfigError where one is missing.
    """
    done: set[str] = set()
    secrets = KnownSecrets()
    keys = config.Keys(env, clock, secrets)
    with HttpTransport(clock, env=env, secrets=secrets) as transport:
        for model in models:
            provider = providers[model.provider]
            if not can_count(provider):
                notice = Notice("not_exact", f"{model.name}: its provider has no count endpoint; counted offline")
                reading = Reading(reading.inputs, reading.skipped, (*reading.notices, notice))
            elif model.vocabulary and model.vocabulary not in done:
                done.add(model.vocabulary)
                key = keys.find(provider)
                ask = partial(count_tokens, transport, model=model, provider=provider, key=key, clock=clock)
                reading = with_exact_counts(reading, model, ask)
    return reading
