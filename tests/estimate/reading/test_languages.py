"""Languages and scripts: told where they are sure, left open where not."""

from __future__ import annotations

import re
import threading
from pathlib import Path

import pytest

from deepsel.estimate.reading import languages
from deepsel.estimate.reading.blocks import split
from deepsel.estimate.reading.languages import detect, is_code, is_program, open_detector
from deepsel.estimate.reading.scripts import script_of

SAMPLES = Path(__file__).parents[3] / "samples"
TEXTS = sorted(path for path in SAMPLES.glob("*.txt"))
ENGLISH = (SAMPLES / "en.txt").read_text("utf-8")
GERMAN = (SAMPLES / "de.txt").read_text("utf-8")


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.stem)
def test_each_sample_is_in_its_language(path: Path) -> None:
    """Every sample is wholly of the language its name says, headings included, and Chinese of its orthography."""
    language, _, script = path.stem.partition("-")
    found = {(block.language, block.script) for block in split(path.read_text("utf-8"))}
    assert {name for name, _ in found} == {language}
    assert not script or {name for _, name in found} == {script}


def test_the_samples_are_many_scripts() -> None:
    """At least twenty languages and twenty scripts are there to be compared, with the same number of paragraphs."""
    texts = [path.read_text("utf-8") for path in TEXTS]
    assert len(texts) >= 22
    assert len({script_of(text) for text in texts}) >= 20
    assert {len(re.findall(r"\n\n", text)) for text in texts} == {12}


@pytest.mark.parametrize("path", sorted((SAMPLES / "code").iterdir()), ids=lambda path: path.name)
def test_programs_are_code(path: Path) -> None:
    """The code samples are code by their name, and for the most part by their content."""
    assert is_program(str(path))
    text = path.read_text("utf-8")
    code = sum(len(block.text) for block in split(text) if block.language == "code")
    assert code > len(text) / 2
    assert {block.language for block in split(text, is_program=True)} == {"code"}


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.stem)
def test_prose_is_not_code(path: Path) -> None:
    """No sample of prose looks like a program."""
    assert not is_code(path.read_text("utf-8"))


def test_paragraphs_of_one_file_keep_their_languages() -> None:
    """English and German paragraphs that alternate are told apart."""
    english = [part for part in ENGLISH.split("\n\n") if len(part) > 100]
    german = [part for part in GERMAN.split("\n\n") if len(part) > 100]
    text = "\n\n".join(part for pair in zip(english, german, strict=False) for part in pair)
    assert [block.language for block in split(text)] == ["en", "de"] * min(len(english), len(german))


def test_a_change_late_in_a_long_text_is_seen() -> None:
    """After hundreds of paragraphs of one language another one is still noticed, give or take a few paragraphs."""
    paragraph = ENGLISH.split("\n\n")[2] + "\n\n"
    other = GERMAN.split("\n\n")[2] + "\n\n"
    blocks = split(paragraph * 200 + other * 200)
    german = sum(block.language == "de" for block in blocks)
    assert 190 <= german <= 200


@pytest.mark.parametrize("text", ["", "...", "123 456", "ok", "Qwzx vbn", "😀 🎉", "\ufffd\ufffd", "\u0301"])
def test_too_little_is_undetermined(text: str) -> None:
    """Punctuation, numbers and a word or two name no language."""
    assert detect(text, open_detector()).language == "und"


def test_only_punctuation_takes_the_language_around_it() -> None:
    """A rule of dashes between English paragraphs belongs to the English text."""
    assert {block.language for block in split(ENGLISH + "\n\n1 2 3\n\n" + ENGLISH)} == {"en"}


def test_without_a_detector_the_script_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the library is missing, languages that share a script are undetermined and the others still named."""
    monkeypatch.setattr(languages, "_library", lambda: None)
    assert not languages.has_detector()
    assert {(block.language, block.script) for block in split(GERMAN)} == {("und", "Latn")}
    assert detect((SAMPLES / "th.txt").read_text("utf-8"), open_detector()).language == "th"


def test_threads_agree() -> None:
    """The same text has the same languages on every thread."""
    text = "\n\n".join(path.read_text("utf-8") for path in TEXTS)
    results: list[list[str]] = []
    threads = [
        threading.Thread(target=lambda: results.append([block.language for block in split(text)])) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 4
    assert all(one == results[0] for one in results)
