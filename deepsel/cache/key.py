"""What makes two requests the same: the key document, its canonical text, and the key. Pure; stores nothing.

The document's members:

    key_format        version of this very recipe; a new one makes every old key a miss
    wire, wire_format the protocol, and the version of how we read its answers
    provider          name of the row the request goes to
    base_url          the endpoint, without user name, password, query and fragment
    query             digest of what follows the path, which may hold a secret; absent where nothing does
    model_id          the resolved id on the wire
    body              every member of the encoded request, unknown ones included, but those of LEFT_OUT

No secret enters: keys and headers are never handed to this module, a base URL loses its credentials, and a credential
that some gateways take inside the body is left out (`api_key`) or stands as its digest: what is named like one at any depth
beside the conversation, and the longer texts of the members that a provider's row adds, whatever they are called.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal

from deepsel.digest import sha256_hex
from deepsel.secret import names_a_credential
from deepsel.values import Json, JsonObject

KEY_FORMAT = 1
LEFT_OUT = frozenset({"stream", "stream_options", "api_key"})
"""Top-level body members that cannot change the answer: how it is delivered, and who pays."""
CONVERSATION = frozenset({"messages", "system", "tools"})
"""Members that hold what was said, kept as it is."""
_LONGEST_PLAIN = 12
"""Longer texts that a provider's row adds may be credentials under any name."""
LONGEST_TEXT = 16_384
"""Longer strings (pictures, whole files) stand in the document as digest, length and beginning."""


_AS_IT_IS = frozenset({str, int, bool, type(None)})
_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))


def key_document(
    body: Mapping[str, Json],
    *,
    provider: str,
    wire: str,
    wire_format: int,
    model_id: str,
    base_url: str,
    query: Mapping[str, str] | None = None,
) -> JsonObject:
    """Build the document that identifies a request; see the module for its members."""
    digest = {"query": sha256_hex(canonical_json(query).encode("utf-8"))} if query else {}
    return {
        "key_format": KEY_FORMAT,
        "wire": wire,
        "wire_format": wire_format,
        "provider": provider,
        "base_url": _without_credentials(base_url),
        **digest,
        "model_id": model_id,
        "body": {
            name: _shortened(value) if name in CONVERSATION else _without_secrets(value, name)
            for name, value in body.items()
            if name not in LEFT_OUT
        },
    }


def cache_key(document: Mapping[str, Json]) -> str:
    """Hash a key document: `k1-` and 64 hex digits."""
    return f"k{KEY_FORMAT}-{sha256_hex(canonical_json(document).encode('utf-8'))}"


def canonical_json(value: Json | Mapping[str, Json]) -> str:
    """Write JSON so that equal values give equal text, which UTF-8 can always carry.

    Members are sorted by code point, equal numbers are spelled equally (1, 1.0, 1e0), text is kept as it is: characters
    that merely look alike stay different. Raises ValueError for NaN and infinity, TypeError for what is not JSON.
    """
    text = _ENCODER.encode(_canonical(value))
    if text.isascii():
        return text
    # Only a lone surrogate cannot be encoded, and its backslash form is the JSON escape for it.
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _canonical(value: object) -> object:
    """Give equal numbers one type and refuse what JSON cannot say or would say ambiguously."""
    if type(value) in _AS_IT_IS or isinstance(value, str | int):
        return value
    if isinstance(value, float):
        return _canonical_number(value)
    if isinstance(value, dict | Mapping):  # asking for a dict is quick
        if not all(isinstance(name, str) for name in value):
            raise TypeError("a JSON member name has to be text")
        return {name: one if type(one) in _AS_IT_IS else _canonical(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [one if type(one) in _AS_IT_IS else _canonical(one) for one in value]
    raise TypeError(f"no JSON form for {type(value).__name__}")


def _canonical_number(value: float) -> float | int:
    """Turn a whole float into the integer its shortest spelling names: 1e23 is 10**23, not the nearest binary one."""
    if not value.is_integer():  # False for NaN and infinity, which the encoder refuses
        return value
    return int(Decimal(repr(value)))


def _shortened(value: Json) -> Json:
    """Replace long strings, at any depth, by what identifies them."""
    if isinstance(value, str):
        if len(value) <= LONGEST_TEXT:
            return value
        digest = sha256_hex(value.encode("utf-8", "backslashreplace"))
        return {"sha256": digest, "chars": len(value), "starts_with": value[:80]}
    if isinstance(value, dict | Mapping):
        return {name: _shortened(member) for name, member in value.items()}
    if isinstance(value, list | tuple):
        return [_shortened(member) for member in value]
    return value


def with_digests(value: Json, *, longest: int = _LONGEST_PLAIN) -> Json:
    """Replace the texts of a JSON value that are longer by their digests: who pays may decide what is answered."""
    if isinstance(value, str):
        return {"sha256": sha256_hex(value.encode("utf-8", "backslashreplace"))} if len(value) > longest else value
    if isinstance(value, dict | Mapping):
        return {name: with_digests(member, longest=longest) for name, member in value.items()}
    if isinstance(value, list | tuple):
        return [with_digests(member, longest=longest) for member in value]
    return value


def _without_secrets(value: Json, name: str = "") -> Json:
    """Replace what is named like a credential, at any depth, by digests."""
    if names_a_credential(name):
        return with_digests(value, longest=0)
    if isinstance(value, dict | Mapping):
        return {one: _without_secrets(member, one) for one, member in value.items()}
    if isinstance(value, list | tuple):
        return [_without_secrets(member) for member in value]
    return _shortened(value)


def _without_credentials(base_url: str) -> str:
    """Drop `user:password@`, the query and the fragment of a URL."""
    plain = base_url.partition("#")[0].partition("?")[0]
    scheme, separator, rest = plain.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}{separator}{host.rpartition('@')[2]}{slash}{path}"
