"""profiles.toml: what it gives, and the one clear line for each way it can be wrong."""

from __future__ import annotations

from contextlib import suppress
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepsel.catalog import Catalog
from deepsel.catalog.rows import MODEL_KEYS, PRICE_KEYS, PROVIDER_KEYS
from deepsel.config import DEFAULT_PROFILE, fields, parse_settings, read_settings
from deepsel.errors import ConfigError
from deepsel.values import Model

CATALOG = Catalog()

EXAMPLE = Path(__file__).parent.parent.parent / "profiles.toml.example"
PATH = Path("profiles.toml")

GOOD = """
default_profile = "main"
[providers.local]
wire = "openai-chat"
base_url = "http://127.0.0.1:8000/v1"
[models.quick]
provider = "local"
price = { input = "0.15", output = "0.60" }
[profiles.main]
models = ["quick", "deepseek-flash"]
"""


def test_a_budget_may_be_larger_than_any_call() -> None:
    """It bounds the sum of many: some write a large one for "no end"."""
    lines = 'models = ["quick"]\ndaily_budget_usd = "100000000"\nmonthly_budget_usd = "1000000000"'
    settings = parse_settings(GOOD.replace('models = ["quick", "deepseek-flash"]', lines).encode(), PATH, CATALOG)
    main = settings.profiles["main"]
    assert (main.daily_budget_usd, main.monthly_budget_usd) == (Decimal(10**8), Decimal(10**9))


def test_the_example_loads_and_names_every_key() -> None:
    """profiles.toml.example is a valid file in which each key a user may write stands."""
    text = EXAMPLE.read_text("utf-8")
    settings = parse_settings(text.encode(), EXAMPLE, CATALOG)
    assert settings.default_profile == "main"
    # `is_default`, `note`, `checked` and `source` of a row describe the catalog's own rows.
    catalog_only = {"is_default", "note", "checked", "source"}
    wanted = {
        *fields.TOP_LEVEL,
        *fields.PROFILE,
        *fields.CACHE,
        *fields.CONVERSATIONS,
        *PRICE_KEYS,
        *PROVIDER_KEYS,
        *MODEL_KEYS,
    } - catalog_only
    missing = [
        key for key in sorted(wanted) if f"{key} =" not in text and f"[{key}." not in text and f"[{key}]" not in text
    ]
    assert not [key for key in missing if f".{key}]]" not in text]


def test_the_examples_defaults_are_the_defaults() -> None:
    """What the example calls a default is one."""
    from deepsel.config import CacheSettings, Profile

    settings = parse_settings(EXAMPLE.read_bytes(), EXAMPLE, CATALOG)
    assert settings.cache == CacheSettings()
    example, default = settings.profiles["main"], Profile(name="main", models=())
    own = {"model", "models", "tasks", "larger_context", "max_cost_usd", "daily_budget_usd", "monthly_budget_usd", "weights", "sources"}
    for name in Profile._fields:
        if name not in own:
            assert getattr(example, name) == getattr(default, name), name


def test_no_file_gives_the_catalogs_defaults(tmp_path: Path) -> None:
    """Without a file the candidates are the catalog's, and the demo is there."""
    settings = read_settings(tmp_path / "none.toml", CATALOG)
    assert settings.profiles[DEFAULT_PROFILE].models == CATALOG.default_models
    assert "demo" in settings.profiles
    assert settings.config_file is None


def test_a_file_that_was_named_has_to_exist(tmp_path: Path) -> None:
    """A missing file is an error only where the user named it."""
    with pytest.raises(ConfigError, match="no configuration file"):
        read_settings(tmp_path / "none.toml", CATALOG, required=True)


def test_own_rows_keep_what_they_say() -> None:
    """A user's model has the user's price and no one else's."""
    quick = parse_settings(GOOD.encode(), PATH, CATALOG).models["quick"]
    assert isinstance(quick, Model)
    assert (quick.id, quick.prices[0].input, quick.prices[0].cached_input) == ("quick", Decimal("0.15"), None)


def test_own_provider_sends_no_key_unless_told() -> None:
    """A provider without api_key_env has none, whatever the environment holds."""
    assert parse_settings(GOOD.encode(), PATH, CATALOG).providers["local"].api_key_env is None


def test_a_value_knows_its_source() -> None:
    """A profile tells the file's values from flags and defaults."""
    profile = parse_settings(GOOD.encode(), PATH, CATALOG).profiles["main"].override(max_tokens=5, strategy=None)
    assert dict(profile.sources) == {"models": "file", "max_tokens": "flag"}


@pytest.mark.parametrize(
    ("broken", "line", "message", "hint"),
    [
        ('defualt_profile = "x"', 1, "unknown key `defualt_profile`", "`default_profile`"),
        ("[profiles.main]\nmodels = ['deepseek-flash']\nstratgy = 'best'", 3, "unknown key `stratgy`", "`strategy`"),
        ("[profiles.main]\nmodels = ['deepseek-flash']\nstrategy = 'quickest'", 3, "must be one of", ""),
        ("[profiles.main]\nmodels = 'deepseek-flash'", 2, "must be a list of names", ""),
        ("[profiles.main]\nmodels = ['deepseek-flahs']", 2, "no model `deepseek-flahs`", "`deepseek-flash`"),
        ("[profiles.main]\nmodels = ['deepseek-flash']\nretries = -1", 3, "a whole number of at least 0", ""),
        ("[profiles.main]\nmodels = ['deepseek-flash']\nretries = true", 3, "a whole number", ""),
        ("[profiles.main]\nmodels = ['deepseek-flash']\nmax_cost_usd = 0.05", 3, "amount of USD as text", ""),
        ("[profiles.main]\nmodels = ['deepseek-flash']\nmax_cost_usd = 'NaN'", 3, "amount of USD", ""),
        ("[profiles.main]\nmodels = ['deepseek-flash']\nmax_cost_usd = '1000001'", 3, "at most 1,000,000, and", ""),
        ("[profiles.main]\nmodels = ['deepseek-flash']\ndaily_budget_usd = '1000000001'", 3, "at most 1,000,000,000, and", ""),
        ("[profiles.main]\nmodels = ['deepseek-flash']\ntimeout_s = 0", 3, "a number above 0", ""),
        ("[profiles.main]\nmodels = ['deepseek-flash']\ntasks = { creativ = [] }", 3, "`creativ`", ""),
        ("[profiles.main]\nstrategy = 'best'", 1, "needs `models`", ""),
        ("[profiles.demo]\nmodels = ['deepseek-flash']", 1, "cannot be redefined", ""),
        ("default_profile = 'mian'\n[profiles.main]\nmodels = ['deepseek-flash']", 1, "no profile `mian`", "`main`"),
        ("[providers.x]\nwire = 'openai'\nbase_url = 'http://a'", 2, "`wire`", ""),
        ("[providers.x]\nwire = 'openai-chat'\nbase_url = 'ftp://a'", 3, "must start with http", ""),
        ("[providers.x]\nwire = 'openai-chat'\nbase_url = 'http://a..b/v1'", 3, "names no host that can exist", ""),
        ("[providers.x]\nwire = 'openai-chat'\nbase_url = 'http://xn--/v1'", 3, "names no host that can exist", ""),
        (f"[providers.x]\nwire = 'openai-chat'\nbase_url = 'http://{'a' * 64}.example'", 3, "names no host that can exist", ""),
        ("[providers.x]\nwire = 'openai-chat'", 1, "base_url", ""),
        ("[models.m]\nprovider = 'nowhere'", 2, "no provider `nowhere`", ""),
        ("[models.m]\nprovider = 'mistrall'", 2, "no provider `mistrall`", "`mistral`"),
        ("[models.m]\nprovider = 'openai'\nprice = { input = '-1', output = '1' }", 3, "price.input", ""),
        ("[models.m]\nprovider = 'openai'\ncontext_windw = 5", 3, "context_windw", "context_window"),
        ("[cache]\nttl_s = 'long'", 2, "`ttl_s` must be a number", ""),
        ("[cache]\nredis_url = 'http://secret:pass@x'", 2, "`redis_url` must be a URL", ""),
        ("profiles = 3", 1, "must be tables", ""),
    ],
)
def test_each_mistake_is_one_line_that_names_the_place(broken: str, line: int, message: str, hint: str) -> None:
    """An unknown key, a wrong type or a dangling name is told with file, line, key and the nearest valid name."""
    with pytest.raises(ConfigError) as caught:
        parse_settings(broken.encode(), PATH, CATALOG)
    assert caught.value.message.startswith(f"profiles.toml:{line}:"), caught.value.message
    assert message in caught.value.message
    assert hint in caught.value.hint
    assert "\n" not in caught.value.message
    assert "secret" not in caught.value.message


@pytest.mark.parametrize("raw", [b"\xff\xfe\x00", b"a = ", b"x" * (2 << 20), b"a = " + b"[" * 100_000])
def test_what_is_no_toml_is_told_as_such(raw: bytes) -> None:
    """Bytes that cannot be a profiles.toml give one error with the file's name."""
    with pytest.raises(ConfigError, match=r"^profiles\.toml"):
        parse_settings(raw, PATH, CATALOG)


@given(st.text())
def test_no_text_makes_a_traceback(text: str) -> None:
    """Any text either loads or is a ConfigError."""
    with suppress(ConfigError):
        parse_settings(text.encode("utf-8", "surrogatepass"), PATH, CATALOG)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(st.sampled_from(sorted({**fields.PROFILE, **fields.CACHE})), VALUES)
def test_readers_accept_or_refuse_in_words(key: str, value: object) -> None:
    """A reader of a member returns a value or raises ValueError with words, for any parsed value."""
    reader = {**fields.PROFILE, **fields.CACHE}[key]
    words = "accepted"
    try:
        reader(value)
    except ValueError as error:
        words = str(error)
    assert words


def test_a_key_in_place_of_its_variable_is_refused_unquoted() -> None:
    """Somebody who pastes a key into api_key_env is told so, without the key."""
    text = '[providers.x]\nwire = "openai-chat"\nbase_url = "http://a"\napi_key_env = "sk-12345-REALKEY"'
    with pytest.raises(ConfigError, match="name of an environment variable") as caught:
        parse_settings(text.encode(), PATH, CATALOG)
    assert "REALKEY" not in caught.value.message + caught.value.hint


@pytest.mark.parametrize("url", ["http://user:pw@host/v1", "http://host/v1?token=x", "http://host/v1#x"])
def test_an_address_holds_no_secrets(url: str) -> None:
    """A base_url with a user name, a query or a fragment is refused."""
    with pytest.raises(ConfigError, match="without user name"):
        parse_settings(f'[providers.x]\nwire = "openai-chat"\nbase_url = "{url}"'.encode(), PATH, CATALOG)


def test_a_pin_outside_the_candidates_is_an_error() -> None:
    """A task pinned to a model that is no candidate would never take effect."""
    text = '[profiles.main]\nmodels = ["deepseek-flash"]\ntasks = { code = ["qwen3-max"] }'
    with pytest.raises(ConfigError, match="pinned to a task but not in `models`"):
        parse_settings(text.encode(), PATH, CATALOG)
