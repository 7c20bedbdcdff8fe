"""Which language a block of text is in, and whether it is a program; the one importer of gcld3 (package cld3-py).

Where the detector is not sure, or is not installed, the language is `und` and only the script is told. Chosen over CLD2 and
fastText's small model by benchmarks/languages.md. Codes are ISO 639-1 where there is one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import PurePath
from types import ModuleType
from typing import Protocol

from deepsel.estimate.reading.scripts import NO_SCRIPT, script_of

UNKNOWN = "und"
CODE = "code"
_SURE = 0.95  # from this probability on 96 % of the detector's answers on the UDHR's paragraphs are right
_FIRM = 0.999
_FEW_LETTERS = 20
_LOOKED_AT_BYTES = 250
# Scripts that one language fills, nearly: no detector is asked.
_OF_SCRIPT = {
    "Hans": "zh", "Hant": "zh", "Hani": "zh", "Jpan": "ja", "Kore": "ko", "Thai": "th", "Laoo": "lo", "Khmr": "km",
    "Grek": "el", "Armn": "hy", "Geor": "ka", "Taml": "ta", "Telu": "te", "Knda": "kn", "Mlym": "ml", "Sinh": "si",
    "Guru": "pa", "Gujr": "gu", "Orya": "or", "Thaa": "dv", "Cher": "chr", "Yiii": "ii", "Vaii": "vai",
    "Mymr": "my", "Tibt": "bo",
}  # fmt: skip
_RENAMED = {"iw": "he", "fil": "tl", "no": "nb"}
_PROGRAMS = frozenset({
    "asm", "awk", "bas", "bash", "bat", "c", "cc", "cfg", "clj", "cljs", "cmake", "cmd", "coffee", "conf", "cpp",
    "cs", "css", "csv", "cu", "cxx", "d", "dart", "diff", "el", "elm", "erl", "ex", "exs", "f90", "fish", "fs",
    "go", "gradle", "graphql", "groovy", "h", "haml", "hbs", "hcl", "hh", "hpp", "hs", "htm", "html", "hxx", "idl",
    "ini", "ipynb", "java", "jl", "js", "json", "json5", "jsx", "kt", "kts", "less", "lisp", "lock", "lua", "m",
    "make", "mjs", "ml", "mm", "nim", "nix", "pas", "patch", "php", "pl", "pm", "proto", "ps1", "py", "pyi", "pyx",
    "r", "rb", "rkt", "rs", "sass", "scala", "scm", "scss", "sh", "sol", "sql", "styl", "sv", "svelte", "swift",
    "tcl", "tf", "toml", "ts", "tsv", "tsx", "v", "vb", "vhd", "vue", "xml", "xsl", "yaml", "yml", "zig", "zsh",
})  # fmt: skip
_PROGRAM_NAMES = frozenset({"Makefile", "Dockerfile", "Jenkinsfile", "Rakefile", "Gemfile", "Vagrantfile"})
_MARKS = re.compile(r"[{}();=<>\[\]_\\]")
_CODE_SHARE = 0.05  # of the characters; English prose has under 0.01, programs 0.07 and more


class _Found(Protocol):
    language: str
    probability: float
    is_reliable: bool


class LanguageDetector(Protocol):
    """What is used of the detector; it keeps state while it works, so that each thread needs its own."""

    def FindLanguage(self, text: str) -> _Found:
        """Name the language of a text."""


def is_program(path: str) -> bool:
    """Return whether a path's name says that it holds a program, markup or tabular data."""
    name = PurePath(path).name
    return name in _PROGRAM_NAMES or PurePath(path).suffix.lower().removeprefix(".") in _PROGRAMS


def is_code(text: str) -> bool:
    """Return whether a block looks like program text: a twentieth of its characters are brackets, `=`, `;` or `_`."""
    return len(text) >= _FEW_LETTERS and len(_MARKS.findall(text)) >= _CODE_SHARE * len(text)


@dataclass(frozen=True, slots=True)
class Guess:
    """What one block alone says about its language."""

    language: str
    """`und` where it says nothing."""
    script: str
    is_firm: bool
    """Whether the blocks around it have no say."""


def detect(text: str, detector: LanguageDetector | None) -> Guess:
    """Name the language and script of one block; without a detector, the language only where its script tells it."""
    script = script_of(text)
    if script == NO_SCRIPT:
        return Guess(UNKNOWN, script, False)
    if script == "Latn" and is_code(text):
        return Guess(CODE, script, True)
    if script in _OF_SCRIPT:
        return Guess(_OF_SCRIPT[script], script, script != "Hani")
    language, probability = _detected(text, detector)
    return Guess(language, script, probability >= _FIRM)


def has_detector() -> bool:
    """Return whether languages that share a script can be told apart here."""
    return _library() is not None


def open_detector() -> LanguageDetector | None:
    """Make a detector for one thread; None where none is installed."""
    library = _library()
    if library is None:
        return None
    made: LanguageDetector = library.NNetLanguageIdentifier(min_num_bytes=0, max_num_bytes=_LOOKED_AT_BYTES)
    return made


def _detected(text: str, detector: LanguageDetector | None) -> tuple[str, float]:
    """Ask the detector: (language, its probability)."""
    if detector is None or len(text) < _FEW_LETTERS:
        return UNKNOWN, 0.0
    found = detector.FindLanguage(text=text)
    # Names such as `ru-Latn` mean a transliteration; the detector gives them to short Latin text of any kind.
    if not found.is_reliable or found.probability < _SURE or "-" in found.language:
        return UNKNOWN, 0.0
    return _RENAMED.get(found.language, found.language), found.probability


@cache
def _library() -> ModuleType | None:
    try:
        import gcld3  # type: ignore[import-untyped, import-not-found, unused-ignore]  # it ships no types
    except ImportError:
        return None
    library: ModuleType = gcld3
    return library
