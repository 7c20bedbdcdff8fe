"""Which script a text is written in: a table of Unicode ranges, and what a mixture of scripts amounts to.

Script names are ISO 15924; ranges follow Scripts.txt of Unicode 16, block by block (https://www.unicode.org/Public/16.0.0/ucd/),
for the scripts in which text is written today. Owns no languages.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from functools import lru_cache

NO_SCRIPT = "Zyyy"
_SAMPLE = 80  # characters looked at in one block; more changes nothing but the time
_RANGES = (
    (0x0041, 0x005A, "Latn"), (0x0061, 0x007A, "Latn"), (0x00AA, 0x00AA, "Latn"), (0x00BA, 0x00BA, "Latn"),
    (0x00C0, 0x024F, "Latn"), (0x0250, 0x02B8, "Latn"), (0x0370, 0x03FF, "Grek"), (0x0400, 0x052F, "Cyrl"),
    (0x0531, 0x058F, "Armn"), (0x0591, 0x05F4, "Hebr"), (0x0600, 0x06FF, "Arab"), (0x0700, 0x074F, "Syrc"),
    (0x0750, 0x077F, "Arab"), (0x0780, 0x07BF, "Thaa"), (0x07C0, 0x07FF, "Nkoo"), (0x0840, 0x085F, "Mand"),
    (0x0870, 0x08FF, "Arab"), (0x0900, 0x097F, "Deva"), (0x0980, 0x09FF, "Beng"), (0x0A00, 0x0A7F, "Guru"),
    (0x0A80, 0x0AFF, "Gujr"), (0x0B00, 0x0B7F, "Orya"), (0x0B80, 0x0BFF, "Taml"), (0x0C00, 0x0C7F, "Telu"),
    (0x0C80, 0x0CFF, "Knda"), (0x0D00, 0x0D7F, "Mlym"), (0x0D80, 0x0DFF, "Sinh"), (0x0E01, 0x0E5B, "Thai"),
    (0x0E80, 0x0EFF, "Laoo"), (0x0F00, 0x0FFF, "Tibt"), (0x1000, 0x109F, "Mymr"), (0x10A0, 0x10FF, "Geor"),
    (0x1100, 0x11FF, "Kore"), (0x1200, 0x139F, "Ethi"), (0x13A0, 0x13FF, "Cher"), (0x1400, 0x167F, "Cans"),
    (0x1680, 0x169F, "Ogam"), (0x16A0, 0x16FF, "Runr"), (0x1780, 0x17FF, "Khmr"), (0x1800, 0x18AF, "Mong"),
    (0x18B0, 0x18FF, "Cans"), (0x1950, 0x19DF, "Talu"), (0x19E0, 0x19FF, "Khmr"), (0x1A20, 0x1AAF, "Lana"),
    (0x1B00, 0x1B7F, "Bali"), (0x1B80, 0x1BBF, "Sund"), (0x1C00, 0x1C4F, "Lepc"), (0x1C50, 0x1C7F, "Olck"),
    (0x1C80, 0x1C8F, "Cyrl"), (0x1C90, 0x1CBF, "Geor"), (0x1D00, 0x1DBF, "Latn"), (0x1E00, 0x1EFF, "Latn"),
    (0x1F00, 0x1FFF, "Grek"), (0x2C60, 0x2C7F, "Latn"), (0x2D00, 0x2D2F, "Geor"), (0x2D30, 0x2D7F, "Tfng"),
    (0x2D80, 0x2DDF, "Ethi"), (0x2DE0, 0x2DFF, "Cyrl"), (0x2E80, 0x2FDF, "Hani"), (0x3005, 0x3007, "Hani"),
    (0x3041, 0x309F, "Jpan"), (0x30A1, 0x30FA, "Jpan"), (0x30FC, 0x30FF, "Jpan"), (0x3105, 0x312F, "Bopo"),
    (0x3130, 0x318F, "Kore"), (0x31A0, 0x31BF, "Bopo"), (0x31F0, 0x31FF, "Jpan"), (0x3400, 0x4DBF, "Hani"),
    (0x4E00, 0x9FFF, "Hani"), (0xA000, 0xA4CF, "Yiii"), (0xA4D0, 0xA4FF, "Lisu"), (0xA500, 0xA63F, "Vaii"),
    (0xA640, 0xA69F, "Cyrl"), (0xA6A0, 0xA6FF, "Bamu"), (0xA720, 0xA7FF, "Latn"), (0xA840, 0xA87F, "Phag"),
    (0xA980, 0xA9DF, "Java"), (0xA8E0, 0xA8FF, "Deva"), (0xA9E0, 0xA9FF, "Mymr"), (0xAA00, 0xAA5F, "Cham"),
    (0xAA60, 0xAA7F, "Mymr"), (0xAAE0, 0xAAFF, "Mtei"), (0xAB00, 0xAB2F, "Ethi"), (0xAB30, 0xAB6F, "Latn"),
    (0xAB70, 0xABBF, "Cher"), (0xABC0, 0xABFF, "Mtei"), (0xAC00, 0xD7FF, "Kore"), (0xF900, 0xFAFF, "Hani"),
    (0xFB00, 0xFB06, "Latn"), (0xFB13, 0xFB17, "Armn"), (0xFB1D, 0xFB4F, "Hebr"), (0xFB50, 0xFDFF, "Arab"),
    (0xFE70, 0xFEFC, "Arab"), (0xFF21, 0xFF3A, "Latn"), (0xFF41, 0xFF5A, "Latn"), (0xFF66, 0xFF9D, "Jpan"),
    (0xFFA0, 0xFFDC, "Kore"), (0x11100, 0x1114F, "Cakm"), (0x11300, 0x1137F, "Gran"), (0x16A40, 0x16A6F, "Mroo"),
    (0x16F00, 0x16F9F, "Plrd"), (0x1B000, 0x1B16F, "Jpan"), (0x1E900, 0x1E95F, "Adlm"), (0x20000, 0x323AF, "Hani"),
)  # fmt: skip
_ORDERED = tuple(sorted(_RANGES))
_STARTS = tuple(start for start, _, _ in _ORDERED)
# Frequent characters that only one of the two Chinese orthographies has, pair by pair.
_SIMPLIFIED = frozenset("们这国说对时会为来个学发经动过还后无开关长问间门见车东马语书电业产义习乡买乱云亲仅从众优传价儿")
_TRADITIONAL = frozenset("們這國說對時會為來個學發經動過還後無開關長問間門見車東馬語書電業產義習鄉買亂雲親僅從眾優傳價兒")


@lru_cache(maxsize=4096)
def script_of_char(char: str) -> str:
    """Return a character's script; Zyyy for digits, punctuation, marks and whatever the table leaves out."""
    code = ord(char)
    index = bisect_right(_STARTS, code) - 1
    if index < 0 or code > _ORDERED[index][1]:
        return NO_SCRIPT
    return _ORDERED[index][2]


def script_of(text: str) -> str:
    """Return the script most of a text's letters are in: Hans, Hant or Hani for Chinese, Jpan where there is kana."""
    if text.isascii():
        return "Latn" if any(char.isalpha() for char in text) else NO_SCRIPT
    counts = Counter(map(script_of_char, text[:: len(text) // _SAMPLE + 1]))
    del counts[NO_SCRIPT]
    if not counts:
        return NO_SCRIPT
    if counts["Hani"] and counts["Jpan"] * 10 > counts["Hani"]:
        counts["Jpan"] += counts.pop("Hani")
    script = max(sorted(counts), key=counts.__getitem__)
    return _han(text) if script == "Hani" else script


def _han(text: str) -> str:
    """Tell simplified from traditional characters; Hani where the text has as many of either."""
    seen = Counter(text)
    simplified = sum(seen[char] for char in _SIMPLIFIED)
    traditional = sum(seen[char] for char in _TRADITIONAL)
    if simplified == traditional:
        return "Hani"
    return "Hans" if simplified > traditional else "Hant"
