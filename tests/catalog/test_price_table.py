"""Every price of the catalog, pinned a second time, so that a typing error in the data cannot pass."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from deepsel import catalog
from deepsel.catalog import Catalog

CATALOG = Catalog()

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)  # a Tuesday, DeepSeek off-peak
PEAK = datetime(2026, 11, 24, 8, tzinfo=UTC)
SMALL = 1_000

# model, instant, input tokens of the request, then USD per 1M: input, cached input, short write, long write, output
TABLE = """
deepseek-flash       now    1000     0.15   0.003    -      -      0.60
deepseek-flash       peak   1000     0.30   0.006    -      -      1.20
deepseek-v4-pro      now    1000     0.66   0.022    -      -      1.98
deepseek-v4-pro      peak   1000     1.32   0.044    -      -      3.96
deepseek-v4-flash    now    1000     0.15   0.003    -      -      0.60
deepseek-v4-flash    peak   1000     0.30   0.006    -      -      1.20
qwen3.8-max          now    1000     2.00   0.25     -      -      6.00
qwen3.8-flash        now    1000     0.15   0.016    0.20   -      0.47
qwen3.7-max          now    1000     2.50   0.50     3.125  -      7.50
qwen3.7-plus         now    256000   0.40   0.08     -      -      1.60
qwen3.7-plus         now    256001   1.20   0.24     -      -      4.80
qwen3.6-plus         now    256000   0.50   0.05      -      -      3.00
qwen3.6-plus         now    256001   2.00   0.20      -      -      6.00
qwen3.5-plus         now    256000   0.40   0.04      -      -      2.40
qwen3.5-plus         now    256001   0.50   0.05      -      -      3.00
qwen3-max            now    32000    1.20   0.24      -      -      6.00
qwen3-max            now    32001    2.40   0.48      -      -      12.00
qwen3-max            now    128000   2.40   0.48      -      -      12.00
qwen3-max            now    128001   3.00   0.60      -      -      15.00
qwen3-max            now    252000   3.00   0.60      -      -      15.00
qwen-plus-latest     now    256000   0.40   0.08      -      -      1.20
qwen-plus-latest     now    256001   1.20   0.24      -      -      3.60
qwen-flash           now    256000   0.05   0.01      -      -      0.40
qwen-flash           now    256001   0.25   0.05      -      -      2.00
qwen3-coder-plus     now    32000    1.0    0.2      -      -      5
qwen3-coder-plus     now    32001    1.8    0.36     -      -      9
qwen3-coder-plus     now    128000   1.8    0.36     -      -      9
qwen3-coder-plus     now    128001   3.0    0.6      -      -      15
qwen3-coder-plus     now    256000   3.0    0.6      -      -      15
qwen3-coder-plus     now    256001   6.0    1.2      -      -      60
qwen3-coder-plus     now    1000000  6.0    1.2      -      -      60
qwen3-coder-flash    now    32000    0.3    0.06     -      -      1.5
qwen3-coder-flash    now    32001    0.5    0.1      -      -      2.5
qwen3-coder-flash    now    128001   0.8    0.16     -      -      4.0
qwen3-coder-flash    now    256001   1.6    0.32     -      -      9.6
qwen-turbo           now    1000     0.05   0.01      -      -      0.20
mistral-large-4      now    1000     0.70   0.07     -      -      2.10
mistral-large-2512   now    1000     0.50   0.05     -      -      1.50
mistral-medium-3-5   now    1000     1.50   0.15     -      -      7.50
mistral-small-2603   now    1000     0.15   0.015    -      -      0.60
codestral-2508       now    1000     0.30   0.03     -      -      0.90
devstral-latest      now    1000     0.40   0.04     -      -      2.00
ministral-3b-2512    now    1000     0.10   0.01     -      -      0.10
ministral-8b-2512    now    1000     0.15   0.015    -      -      0.15
ministral-14b-2512   now    1000     0.20   0.02     -      -      0.20
claude-fable-5-2     now    1000     8      0.20     10     16     40
claude-fable-5-1     now    1000     10     0.25     12.5   20     50
claude-opus-5-5      now    1000     4      0.20     5      8      20
claude-opus-5        now    1000     5      0.50     6.25   10     25
claude-opus-4-8      now    1000     5      0.50   6.25   10     25
claude-opus-4-7      now    1000     5      0.50   6.25   10     25
claude-opus-4-6      now    1000     5      0.50   6.25   10     25
claude-opus-4-5      now    1000     5      0.50   6.25   10     25
claude-sonnet-5-5    now    1000     2      0.10     2.5    4      10
claude-sonnet-5      now    1000     2      0.20     2.5    4      10
claude-sonnet-4-6    now    1000     3      0.30     3.75   6      15
claude-sonnet-4-5    now    1000     3      0.30     3.75   6      15
claude-haiku-5-5     now    100000   0.10   0.01     0.125  0.20   0.50
claude-haiku-5-5     now    100001   0.50   0.05     0.625  1.00   2.50
claude-haiku-4-5     now    1000     1      0.10     1.25   2      5
gpt-6-astra          now    272000   10     1.00     12.5   25     50
gpt-6-astra          now    272001   20     2.00     25     50     75
gpt-6.1-sol          now    272000   2      0.10     2.5    5      10
gpt-6.1-sol          now    272001   4      0.20     5      10     15
gpt-6-sol            now    272000   2      0.20     2.5    5      10
gpt-6-sol            now    272001   4      0.40     5      10     15
gpt-6.1-terra        now    272000   1      0.05     1.25   2.5    5
gpt-6.1-terra        now    272001   2      0.10     2.5    5      7.5
gpt-6-luna           now    272000   0.10   0.01     0.125  0.25   0.50
gpt-6-luna           now    272001   0.20   0.02     0.25   0.50   0.75
gpt-5.6-sol          now    272000   4      0.40     5      10     20
gpt-5.6-sol          now    272001   8      0.80     10     20     30
gpt-5.6-terra        now    272000   2      0.20     2.5    5      12
gpt-5.6-terra        now    272001   4      0.40     5      10     18
gpt-5.6-luna         now    272000   0.20   0.02     0.25   0.50   1.20
gpt-5.6-luna         now    272001   0.40   0.04     0.50   1.00   1.80
gpt-5.5              now    272000   5      0.50     0      -      30
gpt-5.5              now    272001   10     1.00     0      -      45
gpt-5.4              now    272000   2.5    0.25     0      -      15
gpt-5.4              now    272001   5      0.50     0      -      22.5
gpt-5.4-mini         now    272001   0.75   0.075    0      -      4.5
gpt-5.4-nano         now    272001   0.20   0.02     0      -      1.25
gpt-5.3-codex        now    1000     1.75   0.175  0      -      14
gpt-5.2              now    1000     1.75   0.175  0      -      14
gpt-5.1              now    1000     1.25   0.125  0      -      10
gpt-5                now    1000     1.25   0.125    0      -      10
gpt-5-mini           now    1000     0.25   0.025    0      -      2
gpt-5-nano           now    1000     0.05   0.005    0      -      0.40
gpt-4.1              now    1000     2      0.50     0      -      8
gpt-4.1-mini         now    1000     0.4    0.10     0      -      1.6
gpt-4.1-nano         now    1000     0.10   0.025  0      -      0.40
o3                   now    1000     2      0.50   0      -      8
o4-mini              now    1000     1.10   0.275  0      -      4.40
gpt-4o               now    1000     2.5    1.25     0      -      10
gpt-4o-mini          now    1000     0.15   0.075    0      -      0.60
"""
ROWS = [line.split() for line in TABLE.strip().splitlines()]

# model, instant, then USD per 1M: input, cached input, output
HISTORY = """
deepseek-coder     2024-06-01T12:00Z  0.14  0.014     0.28
deepseek-chat      2024-12-15T12:00Z  0.14  0.014     0.28
deepseek-chat      2025-02-08T15:59Z  0.14  0.014     0.28
deepseek-chat      2025-02-09T12:00Z  0.27  0.07      1.10
deepseek-chat      2025-02-09T16:29Z  0.27  0.07      1.10
deepseek-chat      2025-02-09T16:30Z  0.135 0.035     0.55
deepseek-chat      2025-02-10T00:29Z  0.135 0.035     0.55
deepseek-chat      2025-02-10T00:30Z  0.27  0.07      1.10
deepseek-chat      2025-12-01T00:00Z  0.28  0.028     0.42
deepseek-chat      2026-04-23T23:59Z  0.28  0.028     0.42
deepseek-v4-flash  2026-04-25T12:00Z  0.14  0.028     0.28
deepseek-v4-flash  2026-04-26T00:00Z  0.14  0.0028    0.28
deepseek-v4-flash  2026-08-16T15:59Z  0.14  0.0028    0.28
deepseek-v4-flash  2026-08-16T16:00Z  0.22  0.007     0.66
deepseek-v4-flash  2026-08-17T02:00Z  0.44  0.014     1.32
deepseek-v4-flash  2026-08-22T02:00Z  0.44  0.014     1.32
deepseek-v4-flash  2026-08-23T02:00Z  0.22  0.007     0.66
deepseek-v4-flash  2026-08-29T02:00Z  0.22  0.007     0.66
deepseek-v4-flash  2026-09-10T03:59Z  0.44  0.014     1.32
deepseek-v4-flash  2026-09-10T04:00Z  0.15  0.003     0.60
deepseek-v4-flash  2026-09-10T06:00Z  0.30  0.006     1.20
deepseek-v4-pro    2026-04-25T12:00Z  1.74  0.145     3.48
deepseek-v4-pro    2026-04-26T00:00Z  0.435 0.003625  0.87
deepseek-v4-pro    2026-08-16T15:59Z  0.435 0.003625  0.87
deepseek-v4-pro    2026-08-16T16:00Z  0.66  0.022     1.98
deepseek-v4-pro    2026-08-22T02:00Z  1.32  0.044     3.96
deepseek-v4-pro    2026-08-23T02:00Z  0.66  0.022     1.98
mistral-large-4    2026-10-06T00:00Z  0.68  0.068     2.09
mistral-large-4    2026-10-19T23:59Z  0.68  0.068     2.09
mistral-large-4    2026-10-20T00:00Z  1.36  0.136     4.18
mistral-large-4    2026-10-28T23:59Z  1.36  0.136     4.18
mistral-large-4    2026-10-29T00:00Z  0.70  0.07      2.10
claude-sonnet-5-5  2026-10-06T23:59Z  2     0.20      10
claude-sonnet-5-5  2026-10-07T00:00Z  2     0.10      10
"""

LIMITS = """
deepseek-flash      1048576  -       393216
deepseek-v4-pro     1048576  -       393216
deepseek-v4-flash   1048576  -       393216
qwen3.8-max         -        991808  131072
qwen3.8-flash       -        991808  131072
qwen3.7-max         -        991808  65536
qwen3.7-plus        -        991808  65536
qwen3.6-plus        -        -       -
qwen3.5-plus        -        991808  65536
qwen3-max           -        258048  65536
qwen-plus-latest    -        997952  32768
qwen-flash          -        997952  32768
qwen3-coder-plus    -        997952  65536
qwen3-coder-flash   -        997952  65536
qwen-turbo          -        129024  16384
mistral-large-4     1048576  -       -
mistral-large-2512  262144   -       -
mistral-medium-3-5  262144   -       -
mistral-small-2603  262144   -       -
codestral-2508      128000   -       -
devstral-latest     256000   -       -
ministral-3b-2512   131072   -       -
ministral-8b-2512   262144   -       -
ministral-14b-2512  262144   -       -
claude-fable-5-2    1000000  -       128000
claude-fable-5-1    1000000  -       128000
claude-opus-5-5     1000000  -       128000
claude-opus-5       1000000  -       128000
claude-opus-4-8     1000000  -       128000
claude-opus-4-7     1000000  -       128000
claude-opus-4-6     1000000  -       128000
claude-opus-4-5     200000   -       64000
claude-sonnet-5-5   1000000  -       128000
claude-sonnet-5     1000000  -       128000
claude-sonnet-4-6   1000000  -       128000
claude-sonnet-4-5   200000   -       64000
claude-haiku-5-5    1000000  -       128000
claude-haiku-4-5    200000   -       64000
gpt-6-astra         1050000  922000  128000
gpt-6.1-sol         1050000  922000  128000
gpt-6-sol           1050000  922000  128000
gpt-6.1-terra       1050000  922000  128000
gpt-6-luna          1050000  922000  128000
gpt-5.6-sol         1050000  922000  128000
gpt-5.6-terra       1050000  922000  128000
gpt-5.6-luna        1050000  922000  128000
gpt-5.5             1050000  -       128000
gpt-5.4             1050000  -       128000
gpt-5.4-mini        400000   272000  128000
gpt-5.4-nano        400000   272000  128000
gpt-5.3-codex       400000   272000  128000
gpt-5.2             400000   272000  128000
gpt-5.1             400000   272000  128000
gpt-5               400000   272000  128000
gpt-5-mini          400000   272000  128000
gpt-5-nano          400000   272000  128000
gpt-4.1             1047576  -       32768
gpt-4.1-mini        1047576  -       32768
gpt-4.1-nano        1047576  -       32768
o3                  200000   -       100000
o4-mini             200000   -       100000
gpt-4o              128000   -       16384
gpt-4o-mini         128000   -       16384
"""


def _decimal(text: str) -> Decimal | None:
    return None if text == "-" else Decimal(text)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: "-".join(row[:3]))
def test_current_prices(row: list[str]) -> None:
    """Each row of the table is what the catalog charges."""
    name, when, size, *prices = row
    at = {"now": NOW, "peak": PEAK}[when]
    rule = catalog.rule_at(CATALOG.models[name], at=at, input_tokens=int(size))
    assert rule is not None
    found = (rule.input, rule.cached_input, rule.cache_write_short, rule.cache_write_long, rule.output)
    assert found == tuple(map(_decimal, prices))
    expected_reasoning = {
        ("qwen-plus-latest", "256000"): "4.00", ("qwen-plus-latest", "256001"): "12.00", ("qwen-turbo", "1000"): "0.50",
    }  # fmt: skip
    assert rule.reasoning_output == _decimal(expected_reasoning.get((name, size), "-"))


@pytest.mark.parametrize("line", HISTORY.strip().splitlines(), ids=lambda line: "-".join(line.split()[:2]))
def test_past_prices(line: str) -> None:
    """Each dated row is what the catalog charges at that instant."""
    name, when, *prices = line.split()
    rule = catalog.rule_at(CATALOG.models[name], at=datetime.fromisoformat(when), input_tokens=SMALL)
    assert rule is not None
    assert (rule.input, rule.cached_input, rule.output) == tuple(map(_decimal, prices))


@pytest.mark.parametrize("line", LIMITS.strip().splitlines(), ids=lambda line: line.split()[0])
def test_limits(line: str) -> None:
    """Each model's window, bound of the prompt alone and bound of the answer are those of the table."""
    name, *limits = line.split()
    model = CATALOG.models[name]
    expected = tuple(None if limit == "-" else int(limit) for limit in limits)
    assert (model.context_window, model.max_input, model.max_output) == expected


def test_every_priced_model_is_in_the_table() -> None:
    """No model has a price that the tables above do not pin."""
    pinned = {row[0] for row in ROWS} | {line.split()[0] for line in HISTORY.strip().splitlines()}
    assert {name for name, model in CATALOG.models.items() if model.prices} == pinned
    assert {line.split()[0] for line in LIMITS.strip().splitlines()} == pinned - {"deepseek-chat", "deepseek-coder"}


@pytest.mark.parametrize(
    ("name", "when"),
    [
        ("deepseek-chat", "2025-09-15T12:00Z"),  # V3.1: no source has its price
        ("deepseek-chat", "2026-05-01T12:00Z"),
        ("deepseek-coder", "2024-12-01T00:00Z"),
        ("deepseek-flash", "2026-09-10T03:59Z"),
        ("mistral-large-4", "2026-10-05T23:59Z"),
        ("deepseek-reasoner", "2025-06-01T12:00Z"),
        ("openrouter/auto", "2026-11-24T12:00Z"),
    ],
)
def test_no_price_is_made_up(name: str, when: str) -> None:
    """Where no source has a price, the catalog has none."""
    model = CATALOG.find_model(name)
    assert catalog.rule_at(model, at=datetime.fromisoformat(when), input_tokens=SMALL) is None


TIERS = {
    "deepseek-flash": {},
    "qwen3.8-max": {},
    "qwen-plus-latest": {},
    "qwen-flash": {"batch": "0.5"},
    "qwen-turbo": {"batch": "0.5"},
    "mistral-large-4": {"batch": "0.5"},
    "claude-opus-5-5": {"batch": "0.5"},
    "claude-opus-4-5": {"batch": "0.5"},
    "gpt-6.1-sol": {"batch": "0.5", "flex": "0.5", "priority": "2"},
    "gpt-5.5": {"batch": "0.5", "flex": "0.5"},
    "gpt-5.3-codex": {"priority": "2"},
    "gpt-5.2": {"batch": "0.5", "flex": "0.5", "priority": "2"},
    "gpt-5-mini": {"batch": "0.5", "flex": "0.5", "priority": "1.8"},
    "gpt-4.1": {"batch": "0.5", "priority": "1.75"},
    "gpt-4o": {"batch": "0.5", "priority": "1.7"},
    "gpt-4.1-mini": {"batch": "0.5", "priority": "1.75"},
    "o3": {"batch": "0.5", "flex": "0.5", "priority": "1.75"},
}


@pytest.mark.parametrize("name", TIERS)
def test_service_tiers(name: str) -> None:
    """Batch, flex and priority cost what the maker says, and where it says nothing there is no multiplier."""
    expected = {tier: Decimal(factor) for tier, factor in TIERS[name].items()}
    assert CATALOG.models[name].service_tiers == expected


# model, tier, input tokens, then USD per 1M: input, cached input, output; where a tier is no multiple of the standard price
TIER_ROWS = """
gpt-5.5       priority  1000    12.5   1.25    75
gpt-5.5       priority  272001  12.5   1.25    75
gpt-5.4       batch     1000    1.25   0.13    7.5
gpt-5.4       batch     272001  2.5    0.25    11.25
gpt-5.4       flex      1000    1.25   0.13    7.5
gpt-5.4       priority  272001  5      0.5     30
gpt-4.1       batch     1000    1      0.50    4
gpt-4.1-mini  batch     1000    0.2    0.10    0.8
gpt-4.1-nano  batch     1000    0.05   0.025   0.2
gpt-4o        batch     1000    1.25   1.25    5
gpt-4o-mini   batch     1000    0.075  0.075   0.3
gpt-4o-mini   priority  1000    0.25   0.125   1
o3            batch     1000    1      0.5     4
o4-mini       batch     1000    0.55   0.275   2.2
o4-mini       flex      1000    0.55   0.138   2.2
o4-mini       priority  1000    2      0.5     8
gpt-6.1-sol   batch     272001  2      0.1     7.5
qwen-flash    batch     256001  0.125  0.025   1
"""


@pytest.mark.parametrize("line", TIER_ROWS.strip().splitlines(), ids=lambda line: "-".join(line.split()[:3]))
def test_prices_of_tiers(line: str) -> None:
    """What batch, flex and priority charge where the maker's table is no multiple, and the size tiers within batch."""
    name, tier, size, *prices = line.split()
    rule = catalog.rule_at(CATALOG.models[name], at=NOW, input_tokens=int(size), service_tier=tier)
    assert rule is not None
    assert (rule.input, rule.cached_input, rule.output) == tuple(map(_decimal, prices))


RETIRES = {
    "gpt-4.1-nano": "2026-10-23",
    "o4-mini": "2026-10-23",
    "o3": "2026-12-11",
    "gpt-5.1": "2027-04-01",
    "gpt-5.3-codex": "2027-04-01",
    "mistral-medium-3-5": "2027-04-30",
    "claude-sonnet-4-5": "2026-11-30",
    "gpt-5": "2026-12-11",
    "gpt-5-mini": "2026-12-11",
    "gpt-5-nano": "2026-12-11",
    "gpt-4.1": "2027-01-14",
    "gpt-4.1-mini": "2027-01-14",
    "gpt-4o": "2027-01-14",
    "gpt-4o-mini": "2027-01-14",
    "gpt-5.4-nano": "2027-04-01",
    "mistral-large-2512": "2027-04-30",
    "deepseek-chat": "2026-07-24",
    "deepseek-reasoner": "2026-07-24",
    "deepseek-coder": "2024-12-01",
}


def test_retirements() -> None:
    """The models that end, and the day each does, are those announced."""
    found = {name: str(model.retires) for name, model in CATALOG.models.items() if model.retires}
    assert found == RETIRES
