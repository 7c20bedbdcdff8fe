"""Secrets are taken out of foreign text in every form that programs give them, and nothing else is."""

from __future__ import annotations

import html
import json
from base64 import b32encode, b64encode, urlsafe_b64encode
from collections.abc import Callable
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepsel.secret import MASK, KnownSecrets, credentials_in, names_a_credential, secrets_in

KEYS = ("sk-CANARYabcdefGHIJKL0123456789mnopQRST", "Zq8CANARYmistralKEY0123456789abcdWX", "Canary77", "p@ss/w0rd+with=signs")
Form = Callable[[str], str]
FORMS: dict[str, Form] = {
    "as it is": str,
    "in an address": lambda key: f"https://x.example/?key={key}&a=1",
    "percent": lambda key: quote(key, safe=""),
    "percent, every character": lambda key: "".join(f"%{ord(sign):02x}" for sign in key),
    "percent, twice": lambda key: quote("".join(f"%{ord(sign):02X}" for sign in key), safe=""),
    "base64": lambda key: b64encode(key.encode()).decode(),
    "base64, one before": lambda key: b64encode(f"u{key}".encode()).decode().rstrip("="),
    "base64, two before": lambda key: b64encode(f"u:{key}".encode()).decode(),
    "base64, more after": lambda key: b64encode(f'{{"a":"{key}"}}'.encode()).decode(),
    "base64 of addresses": lambda key: urlsafe_b64encode(f"\xff\xfe{key}".encode()).decode().rstrip("="),
    "hex": lambda key: key.encode().hex(),
    "hex with colons": lambda key: key.encode().hex(":").upper(),
    "JSON escapes": lambda key: "".join(f"\\u{ord(sign):04x}" for sign in key),
    "JSON escapes in JSON": lambda key: json.dumps("".join(f"\\u{ord(sign):04X}" for sign in key)),
    "program escapes": lambda key: "".join(f"\\x{ord(sign):02x}" for sign in key),
    "entities": lambda key: "".join(f"&#{ord(sign)};" for sign in key),
    "entities of hex": lambda key: "".join(f"&#x{ord(sign):X};" for sign in key),
    "entities, twice": lambda key: html.escape("".join(f"&#{ord(sign)};" for sign in key)),
    "spaced": " ".join,
    "spaced with dots": "·".join,
    "a line break inside": lambda key: f"{key[: len(key) // 2]}\r\n  {key[len(key) // 2 :]}",
    "a written line break inside": lambda key: f"{key[: len(key) // 2]}\\n{key[len(key) // 2 :]}",
    "an invisible space inside": lambda key: f"{key[: len(key) // 2]}\u200b{key[len(key) // 2 :]}",
    "backwards": lambda key: key[::-1],
    "capitals": str.upper,
    "small": str.lower,
    "as bytes": lambda key: repr(key.encode()),
}


def _giveaways(key: str) -> set[str]:
    """Every eight characters in a row of a key, without what stands between letters and digits."""
    small = "".join(filter(str.isalnum, key)).lower()
    return {small[at : at + 8] for at in range(max(1, len(small) - 7))}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("key", KEYS)
def test_no_form_of_a_secret_is_left(key: str, form: str) -> None:
    """What stands for the key is masked, and the words around it are not."""
    written = FORMS[form](key)
    text = KnownSecrets(lambda: [key]).clean(f"the key ({written}) is wrong", 500)
    assert text.startswith("the key (")
    assert text.endswith("is wrong")
    assert MASK in text
    assert written not in text
    left = "".join(filter(str.isalnum, text)).lower()
    assert not [piece for piece in _giveaways(key) if piece in left]


@pytest.mark.parametrize("key", KEYS[:2])
@pytest.mark.parametrize(
    "shown", [lambda k: k[:12], lambda k: k[-12:], lambda k: k[9:20], lambda k: f"{k[:6]}...{k[-6:]}", lambda k: f"***{k[-4:]}"]
)
def test_parts_of_a_secret_are_masked(key: str, shown: Form) -> None:
    """Eight characters in a row are too many, and so are the ends of a key that the provider has masked itself."""
    part = shown(key)
    text = KnownSecrets(lambda: [key]).clean(f"bad key {part}", 500)
    assert not [piece for piece in (key[:6], key[-4:], key[9:17]) if piece in text]


SIGNS = st.characters(codec="ascii", categories=("L", "N", "P"))


@given(st.text(SIGNS, min_size=12, max_size=60), st.text(max_size=40), st.text(max_size=40))
def test_any_secret_is_taken_out_of_any_text(key: str, before: str, after: str) -> None:
    """Whatever stands around it."""
    text = KnownSecrets(lambda: [key]).redacted(f"{before}{key}{after}")
    assert key not in text


@pytest.mark.parametrize(
    "text",
    [
        "This model's maximum context length is 8192 tokens, however you requested 10000 tokens",
        "req_011CQpvEzVk8xyz7391846520fedcba", "gpt-4o-mini-2024-07-18", "field required; input should be a valid list", "", "é ß 你好",
        "b" * 3000, b32encode(b"something else altogether").decode(),
    ],
)  # fmt: skip
def test_other_text_stays(text: str) -> None:
    """Ids, models and sentences are no secrets, and neither is what people write where a local server wants a key."""
    secrets = KnownSecrets(lambda: [*KEYS, "required", "lm-studio", "ollama", "token", ""])
    assert secrets.redacted(text) == text


def test_the_time_is_bounded_by_what_is_shown() -> None:
    """Of a long text only the part is read that can be shown; masses of any sign are read in one go."""
    secrets = KnownSecrets(lambda: KEYS)
    for mass in ("*", "sk-", "bearer ", "bearer" + " " * 9, "\\", "&", "%", "&#1", "a", f"{KEYS[0]} "):
        text = mass * (300_000 // len(mass))
        assert secrets.clean(text, 300) == secrets.clean(text[:1200], 300)
        assert len(secrets.redacted(text)) <= len(text)


def test_secrets_are_learned_as_they_are_met() -> None:
    """A key that a command printed later is known from then on; the settings are read when the first text comes."""
    read: list[int] = []
    later = "mZx83jdhQWalpOcvbnRt"
    secrets = KnownSecrets(lambda: read.append(1) or [KEYS[0]])  # type: ignore[func-returns-value]
    assert not read
    assert later in secrets.redacted(later)
    secrets.add(f"Bearer {later}")
    assert secrets.redacted(f"{KEYS[0]} {later}") == f"{MASK} {MASK}"
    assert read == [1]
    assert later not in repr(secrets)


@pytest.mark.parametrize("form", ["as it is", "base64, two before", "hex", "JSON escapes", "entities"])
def test_a_long_text_that_holds_a_secret_is_told(form: str) -> None:
    """An answer of any length is looked through for whole secrets."""
    secrets = KnownSecrets(lambda: KEYS)
    filler = "word " * 20_000
    assert secrets.are_in(filler + FORMS[form](KEYS[0]) + filler)
    assert not secrets.are_in(filler)


def test_what_an_address_holds() -> None:
    """User and password of an address, as they are written and as they are meant, and what a query names a key."""
    assert secrets_in("redis://me:p%40ss@host:1/0?password=q&db=3") == ["me:p%40ss", "me:p@ss", "p%40ss", "p@ss", "q"]
    assert secrets_in("http://host/path?version=3") == []


def test_credentials_in_a_body() -> None:
    """What stands below a name that tells, at any depth; numbers of tokens and authors are none."""
    body = {
        "aws_secret_access_key": "a", "nested": [{"api-key": "b", "max_tokens": 3, "author": "x"}],
        "credentials": {"id": "c", "more": ["d"]}, "tokens": "y", "tokenizer": "z", "Authorization": "e",
    }  # fmt: skip
    assert list(credentials_in(body)) == ["a", "b", "c", "d", "e"]
    assert not names_a_credential("max_tokens")
