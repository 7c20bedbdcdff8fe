"""Rows of the catalog and of profiles.toml: providers, models, prices."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Literal

from deepsel.errors import ErrorClass
from deepsel.records import NamedTuple
from deepsel.values.words import Json


class ErrorRule(NamedTuple):
    """One row of a provider's dialect: what a failure with these marks really is. Empty fields match anything."""

    error_class: ErrorClass
    status: int | None = None
    code: str | None = None
    """Compared, as text and ignoring case, with the body's `code` and `type`."""
    text: str | None = None
    """A lower-case fragment of the message; used only where the provider gives no usable code."""


class Provider(NamedTuple):
    """Where requests go, and how that host differs from its wire's plain form."""

    name: str
    wire: str
    """A name of the table of wires."""
    base_url: str
    label: str = ""
    """The name people know, for messages."""
    api_key_env: str | None = None
    """None: no key is sent."""
    api_key_command: tuple[str, ...] = ()
    """A program that prints the key; wins over `api_key_env`."""
    auth: Literal["bearer", "x-api-key", "both", "api-key", "x-portkey-api-key"] = "bearer"
    """Which header carries the key; `both`: Authorization and x-api-key."""
    headers: Mapping[str, str] = {}
    query: Mapping[str, str] = {}
    """What follows the path of every address, as `api-version` does at Azure."""
    extra_body: Mapping[str, Json] = {}
    """Members merged into every request."""
    non_stream_body: Mapping[str, Json] = {}
    """Members merged into requests that do not stream (Qwen refuses thinking there)."""
    max_concurrency: int | None = None
    """Calls at once, over all processes of a user; None: not stated, so that a job finds it out, and other requests are careful."""
    max_tokens_field: str = "max_tokens"
    seed_field: str | None = "seed"
    """None: the host has no such parameter."""
    stream_usage: bool = True
    """Whether `stream_options.include_usage` is sent."""
    error_rules: tuple[ErrorRule, ...] = ()
    """Looked at in order, before the wire's own table."""
    price_multiplier: Decimal = Decimal(1)
    """Regional surcharge on every price of the host."""
    is_simulated: bool = False
    """Whether its answers are made up by deepsel itself; no member of a row."""
    base_url_env: str | None = None
    """A variable that gives the address, as the provider's own programs read it. No member of a user's row."""
    host_env: str | None = None
    """A variable that gives scheme, host and port, each of which may be left out. No member of a user's row."""
    unusable: str = ""
    """Why the environment makes it one that is not called; no member of a row."""
    health_path: str | None = None
    models_path: str | None = None
    ca_file: str = ""
    """A file of certificates, the only ones that are trusted there; empty: the system's."""
    client_cert: str = ""
    """A file with a certificate and its key, by which the host knows its clients; empty: none."""
    source: str = ""
    checked: date | None = None


class HourWindow(NamedTuple):
    """Hours of a day in UTC, start included, end excluded, as minutes from midnight."""

    start_minute: int
    end_minute: int


class PriceRule(NamedTuple):
    """Prices in USD per 1,000,000 tokens, and when they hold. A price of None is unknown, not free."""

    input: Decimal | None
    output: Decimal | None
    cached_input: Decimal | None = None
    cache_write_short: Decimal | None = None
    """Written to a cache for minutes (5 or 30); None: not priced apart or unknown."""
    cache_write_long: Decimal | None = None
    """Written to a cache for hours (1 or 12)."""
    reasoning_output: Decimal | None = None
    """None: reasoning is billed as output."""
    label: str = ""
    """Names the rule to a person: `peak`, `off-peak`, `over 256,000 tokens`; empty where there is only one."""
    up_to_input_tokens: int | None = None
    """The largest prompt, cached parts included, this rule covers (inclusive); None: any."""
    valid_from: datetime | None = None
    """First instant, included."""
    valid_to: datetime | None = None
    """First instant no longer covered."""
    hours: tuple[HourWindow, ...] = ()
    """Empty: all day."""
    weekdays: frozenset[int] = frozenset()
    """ISO, Monday is 1; empty: every day."""
    not_on: str | None = None
    """Name of a holiday calendar on whose days the rule does not hold."""
    service_tier: str = "standard"
    """standard, batch, flex or priority."""
    guaranteed_until: date | None = None
    """The last day for which the maker promised this price; None: no day was named."""
    source: str = ""
    """A link or the name of the sheet the row was read from."""
    checked: date | None = None
    """The day it was read."""
    is_at_most: bool = False
    """Whether the price of cached input is only a bound, since none is stated; the rule of a bill alone says so."""


class Lane(NamedTuple):
    """A slower and cheaper way to ask a provider, and its limits; None: not stated."""

    provider: str
    name: str
    """`batch`, or `batch-chat`."""
    price_factor: Decimal
    """Times the standard price, size tiers included; a model's own price rows of the tier go before it."""
    form: Literal["file", "inline", "held"]
    """How requests get there: as lines of a file, as members of one body, or each by a call whose connection is held."""
    api: str = ""
    """The batch API it speaks, of the table in `wires/batches`; empty: plain calls."""
    service_tier: str = "batch"
    """By which it is priced."""
    models: frozenset[str] = frozenset()
    """Ids it takes; empty: all of the provider."""
    without: frozenset[str] = frozenset()
    """Ids it does not take."""
    base_url: str | None = None
    """None: the provider's own."""
    max_requests: int | None = None
    """Of one job."""
    max_inline_requests: int | None = None
    """Of one job whose requests are sent in its body, where a file is the rule."""
    max_bytes: int | None = None
    """Of one job."""
    max_line_bytes: int | None = None
    max_input_tokens: int | None = None
    """Of one request, where that is less than the model takes."""
    window_s: tuple[int, int] | None = None
    """The shortest and the longest wait that can be asked for, after which a job expires."""
    results_days: int | None = None
    """How long results are kept."""
    is_one_model: bool = False
    """Whether all requests of a job are for one model."""
    keeps_finished: bool | None = None
    """Whether what was finished before a job expired is kept, and billed."""
    full_price: tuple[str, ...] = ()
    """What is not discounted, in words."""
    note: str = ""
    source: str = ""
    checked: date | None = None


class Latency(NamedTuple):
    """What to expect of an endpoint before it has been observed."""

    ttft_s: float
    tokens_per_s: float


class PictureSize(NamedTuple):
    """What a picture is scaled down to at one level of detail, its shape kept; never up."""

    longest: int | None = None
    """Pixels of its longer side; None: any."""
    shortest: int | None = None
    """Pixels of its shorter side; None: any."""
    most: tuple[int, ...] = ()
    """Cells; several where a request does not say which holds. Empty: any number."""


class PictureRule(NamedTuple):
    """How a maker turns a picture into input tokens, as published."""

    name: str
    kind: Literal["tiles", "patches", "fitted", "rows", "multiples", "bounded"]
    """The way of counting; `tokens/pictures/rules.py` has one function for each."""
    sizes: Mapping[str, PictureSize]
    """By level of detail; `auto` is always there and stands where none is given."""
    cell: int = 1
    """Side of a tile or patch in pixels."""
    base: int = 0
    """Tokens of any picture."""
    each: Decimal = Decimal(1)
    """Tokens of a cell."""
    flat: frozenset[str] = frozenset()
    """Levels of detail that cost the base alone."""
    least: int = 1
    """Cells no picture is under."""
    limit: int | None = None
    """Cells no picture is over: the provider refuses it. None: as many as it is scaled down to."""
    billed_only: bool = False
    """Whether its tokens are a price and take no room in the window."""
    source: str = ""
    checked: date | None = None


class Model(NamedTuple):
    """What answers: one row of the catalog, or of the user's profiles.toml."""

    name: str
    """The name on the command line."""
    provider: str
    id: str
    """The id on the wire."""
    aliases: tuple[str, ...] = ()
    """Other ids of the same row, as typed by people or answered by the provider."""
    context_window: int | None = None
    """Prompt and answer together, in tokens."""
    max_input: int | None = None
    """Where the prompt alone has a bound of its own."""
    max_output: int | None = None
    vocabulary: str | None = None
    template: str | None = None
    """Name of the chat template by which requests are written out for it; None: not known, taken to be its vocabulary's usual one."""
    framing_tokens: int | None = None
    """Tokens the provider adds around one user message; None: those of the template."""
    pictures: str | None = None
    """Name of the rule by which a picture is counted; None: nobody knows what one costs."""
    capability: Mapping[str, float] = {}
    """Task to quality in [0, 1]."""
    latency: Latency | None = None
    features: frozenset[str] = frozenset()
    """Among json_schema, json_object, images, tools."""
    sampling: Literal["always", "without_reasoning", "never"] = "always"
    """When the model honours temperature; it is withheld where refused or without effect."""
    seed: bool = True
    """Whether a seed is honoured, on a host that has the field."""
    reasoning_off: Mapping[str, Json] | None = None
    """Body members that switch reasoning off; sent unless the user sets one of them. None: no switch."""
    params: Mapping[str, Json] = {}
    """Members sent with every request to this model."""
    prices: tuple[PriceRule, ...] = ()
    """The first rule whose conditions all hold is the price; empty: unknown."""
    service_tiers: Mapping[str, Decimal] = {}
    """Multiplier on the standard price for batch, flex, priority."""
    available_from: date | None = None
    retires: date | None = None
    """The first day it no longer answers."""
    successor: str = ""
    """The catalog name to use in its place once it has retired."""
    is_default: bool = False
    """Whether a user without a file gets it as a candidate."""
    note: str = ""
    """What is not certain about the row."""
