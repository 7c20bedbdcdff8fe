"""Fits the weights of `deepsel.routing.kinds` and says how well they do; owns no feature (those are the package's own).

    python scripts/routing/train_kinds.py                  # writes deepsel/routing/data/kinds.bin
    python scripts/routing/train_kinds.py --output FILE    # writes elsewhere, to compare

Needs numpy, scipy and scikit-learn (`pip install scikit-learn`); the package itself needs none of them. The prompts are in
`scripts/routing/prompts`, all of this project's pen: `# LANGUAGE` heads a section, then `kind|prompt` a line. Beside them the
development half of `tests/routing/tasks.jsonl` is used; its other half never is.

Every prompt is used as it stands, in lower case or without its full stop, and, where it asks for work on a text, with a text
before or after it. Sentences that are no work (a greeting, a role, thanks) are a kind of their own.
"""

from __future__ import annotations

import argparse
import json
import random
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from scipy.sparse import csr_matrix, hstack
from sklearn.linear_model import LogisticRegression

from deepsel.routing import form, kinds, task
from deepsel.values import TASKS

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
LETTERS = dict(zip("cseromtwhk", kinds.KINDS, strict=True))
WITH_TEXT = ("extract", "summarize", "translate", "structured")
STRENGTH = 3.0
"""Inverse of the ridge."""
CUE_DROPOUT = 0.5
"""Share of samples whose cues are hidden, so that the lexicon is evidence beside the wording and not in its place."""
GRAM_SCALE = 1.0
MOST_GRAMS = 24_000
MIN_PROMPTS = 2
"""An n-gram is kept where so many different prompts have it."""


def prompts() -> Iterator[tuple[str, str, str]]:
    """Yield language, kind and prompt of every line."""
    for name in ("west", "east", "scripts", "more", "long"):
        path = HERE / "prompts" / f"{name}.txt"
        language = ""
        for line in path.read_text("utf-8").splitlines() if path.exists() else ():
            if line.startswith("# "):
                language = line[2:]
            elif line:
                letter, _, text = line.partition("|")
                yield language, LETTERS[letter], text.replace("\\n", "\n")


def table(half: int) -> Iterator[tuple[str, str, str]]:
    """Yield language, task (or kind, where the row names one) and prompt of a half of the labelled table."""
    for line in (ROOT / "tests" / "routing" / "tasks.jsonl").read_text("utf-8").splitlines():
        row = json.loads(line)
        if zlib.crc32(row["prompt"].encode()) % 2 == half:
            yield row["lang"], row.get("kind", row["task"]), row["prompt"]


def asides() -> dict[str, list[str]]:
    """Return the sentences that are no work, by language."""
    found: dict[str, list[str]] = {}
    language = ""
    for line in (HERE / "prompts" / "aside.txt").read_text("utf-8").splitlines():
        if line.startswith("# "):
            language = line[2:]
        else:
            found[language] = line.split("|")
    return found


def passages(language: str) -> list[str]:
    """Return paragraphs of a text in a language, English where there is none."""
    names = {"zh": "zh-Hans", "no": "en", "da": "en"}
    path = ROOT / "samples" / f"{names.get(language, language)}.txt"
    text = (path if path.exists() else ROOT / "samples" / "en.txt").read_text("utf-8")
    return [one for one in text.split("\n") if len(one) > 40] or [text]


def samples(rows: list[tuple[str, str, str]], seed: int = 5) -> list[tuple[str, str, str]]:
    """Return kind, text and the prompt it was made of; every prompt in several dresses."""
    chance = random.Random(seed)  # noqa: S311  a fixed order
    made = []
    for language, kind, prompt in rows:
        made.append((kind, prompt, prompt))
        made.append((kind, prompt, prompt))
        bare = prompt.rstrip("?？.!。") if chance.random() < 0.5 else prompt.lower()
        made.append((kind, bare, prompt))
        if kind in WITH_TEXT and "\n" not in prompt:
            text = chance.choice(passages(language))
            made.append((kind, f"{prompt.rstrip('.')}:\n\n{text}", prompt))
            made.append((kind, f"{text}\n\n{prompt}", prompt))
            if kind in ("extract", "translate"):
                made.append((kind, f"{prompt.rstrip('.')}: {text[:80]}", prompt))
        if kind == "choice" and chance.random() < 0.6:
            made.append((kind, f"{chance.choice(passages(language))[:400]}\n{prompt}", prompt))
        if kind == "code" and chance.random() < 0.5:
            code = chance.choice(sorted((ROOT / "samples" / "code").iterdir())).read_text("utf-8")[:600]
            made.append((kind, f"{prompt}\n\n```\n{code}\n```" if chance.random() < 0.5 else f"{prompt}\n\n{code}", prompt))
    return made


def plain_features(prompt: str) -> tuple[list[str], tuple[float, ...]]:
    """Return the n-grams of a prompt's request, as many times as they count, and its plain features."""
    read = task.look(prompt)
    found: dict[str, dict[str, float]] = {name: {} for name in (*TASKS, "hard", "easy")}
    task._collect(read.request[: task._CUED_CHARS], found, factor=1.0)
    task._collect(read.given[: task._CUED_CHARS], found, factor=task._GIVEN_FACTOR)
    pieces = task._pieces(read.request) or [read.given]
    return [gram for piece in pieces for gram in kinds.grams(piece)], (*read.marks, *task.cue_features(found))


class Bag:
    """Samples as matrices."""

    def __init__(self, made: list[tuple[str, str, str]]) -> None:
        self.labels = np.array([kinds.KINDS.index(kind) for kind, _, _ in made])
        looked = [plain_features(text) for _, text, _ in made]
        self.grams = [grams for grams, _ in looked]
        self.plain = np.array([plain for _, plain in looked])
        chance = np.random.default_rng(5)
        self.plain[chance.random(len(looked)) < CUE_DROPOUT, len(form.MARKS) :] = 0.0
        self.sources = [source for _, _, source in made]

    def choose(self) -> dict[str, int]:
        """Choose n-grams that several different prompts or asides have."""
        owners: dict[str, set[str]] = {}
        for sentence in (one for own in asides().values() for one in own):
            for gram in set(kinds.grams(sentence)):
                owners.setdefault(gram, set()).add(sentence)
        for grams, source in zip(self.grams, self.sources, strict=True):
            for gram in set(grams):
                owners.setdefault(gram, set()).add(source)
        kept = sorted(gram for gram, own in owners.items() if len(own) >= MIN_PROMPTS)
        return {gram: at for at, gram in enumerate(kept)}

    def matrix(self, columns: dict[str, int]) -> csr_matrix:
        """Return the weighted n-grams, a row a sample."""
        data, at, starts = [], [], [0]
        for grams in self.grams:
            known = [columns[gram] for gram in grams if gram in columns]
            at += known
            data += [GRAM_SCALE / max(1, len(grams)) ** 0.5] * len(known)
            starts.append(len(at))
        return csr_matrix((data, at, starts), shape=(len(self.grams), len(columns)))


def balance(labels: np.ndarray) -> np.ndarray:
    """Weigh samples so that rare kinds count more, half way to equal."""
    counts = np.bincount(labels, minlength=len(kinds.KINDS))
    return (counts.mean() / counts[labels]) ** 0.5


def fit(bag: Bag) -> tuple[dict[str, int], np.ndarray, np.ndarray, np.ndarray]:
    """Fit, keep the heaviest n-grams, fit again; return columns, their weights, plain weights, bias."""
    columns = bag.choose()
    for _ in range(2):
        model = LogisticRegression(C=STRENGTH, max_iter=150)
        model.fit(hstack([bag.matrix(columns), csr_matrix(bag.plain)]).tocsr(), bag.labels, sample_weight=balance(bag.labels))
        weights = model.coef_[:, : len(columns)] * GRAM_SCALE
        if len(columns) <= MOST_GRAMS:
            break
        heaviest = np.argsort(-np.abs(weights).max(axis=0))[:MOST_GRAMS]
        names = list(columns)
        columns = {name: at for at, name in enumerate(sorted(names[at] for at in heaviest))}
    return columns, weights, model.coef_[:, len(columns) :], model.intercept_


def fit_form(bag: Bag) -> np.ndarray:
    """Fit what a prompt's form says alone, for languages nobody trained on."""
    model = LogisticRegression(C=3.0, max_iter=200)
    model.fit(bag.plain, bag.labels, sample_weight=balance(bag.labels))
    return np.hstack([model.coef_, model.intercept_[:, None]])


def fit_asides(rows: list[tuple[str, str, str]], columns: dict[str, int]) -> tuple[np.ndarray, float]:
    """Fit what tells sentences that are no work from requests; return a weight an n-gram, and the bias."""
    sentences = [(1, one) for own in asides().values() for one in own]
    sentences += [(1, one.rstrip(",.!").lower()) for _, one in sentences]
    sentences += [(0, piece) for _, kind, prompt in rows if kind != "chat" for piece in task._pieces(prompt)]
    labels = np.array([label for label, _ in sentences])
    bag = Bag.__new__(Bag)
    bag.grams = [kinds.grams(one) for _, one in sentences]
    model = LogisticRegression(C=20.0, max_iter=300, class_weight="balanced")
    model.fit(bag.matrix(columns), labels)
    return model.coef_[0] * GRAM_SCALE, float(model.intercept_[0])


def encode(rows: list[tuple[str, str, str]]) -> bytes:
    """Fit and round to the bytes of the weights file."""
    bag = Bag(samples(rows))
    columns, weights, plain, bias = fit(bag)
    aside, aside_bias = fit_asides(rows, columns)
    weights = np.vstack([weights, aside])
    step = float(f"{np.quantile(np.abs(weights), 0.9995) / 127:.4e}")
    rows = np.clip(np.rint(weights.T / step), -127, 127).astype(int) + 128
    by_hash = sorted((kinds.hash_of(gram), at) for gram, at in columns.items())
    head = {
        "grams": len(by_hash),
        "step": step,
        "bias": [round(float(one), 4) for one in bias],
        "plain": [[round(float(one), 4) for one in row] for row in plain],
        "aside_bias": round(aside_bias, 4),
        "form_only": [[round(float(one), 4) for one in row] for row in fit_form(bag)],
    }
    hashes = np.array([own for own, _ in by_hash], dtype="<u4").tobytes()
    table = rows.astype(np.uint8)[[at for _, at in by_hash]].tobytes()
    return json.dumps(head).encode() + b"\n" + hashes + table


def say(half: int) -> None:
    """Print how often the task of a half of the table is found, by language where it is not always."""
    rows = list(table(half))
    right: Counter[str] = Counter()
    misses: list[str] = []
    for language, kind, prompt in rows:
        found = task.detect(prompt)
        is_right = found.task == kinds.TASK_OF.get(kind, kind)
        right[language] += is_right
        if not is_right:
            misses.append(f"  {language} {kind} taken for {found.kind} ({found.certainty:.2f}): {prompt[:90]!r}")
    whole = Counter(language for language, _, _ in rows)
    name = "development" if half == 0 else "held out"
    print(f"{name}: {sum(right.values())}/{len(rows)} = {sum(right.values()) / len(rows):.3f}")
    print("  " + " ".join(f"{one} {right[one]}/{whole[one]}" for one in whole if right[one] < whole[one]))
    if half == 0:
        print("\n".join(misses))


def main() -> None:
    """Train and write the file."""
    parser = argparse.ArgumentParser(description="Fit the weights that tell kinds of work apart.")
    parser.add_argument("--output", type=Path, default=kinds.WEIGHTS_FILE)
    parser.add_argument("--apart", action="store_true", help="leave the whole table out, to see what is missed in its first half")
    arguments = parser.parse_args()
    rows = [*prompts(), *(() if arguments.apart else table(0))]
    kinds.WEIGHTS_FILE = arguments.output
    for make in (_nothing, lambda: encode(rows)):  # what is learned does not depend on what was learned before
        content = make()
        arguments.output.write_bytes(content)
        for cached in (kinds.weights, kinds._packed, kinds._joined):
            cached.cache_clear()
    print(f"{arguments.output}: {len(content)} bytes from {len(rows)} prompts")
    say(0)
    say(1)


def _nothing() -> bytes:
    """Return a file without knowledge, to begin with."""
    width = 26 + len(TASKS)
    kinds_width = len(kinds.KINDS)
    flat = {"grams": 0, "step": 1.0, "bias": [0.0] * kinds_width, "plain": [[0.0] * width] * kinds_width, "aside_bias": -1.0}
    head = {**flat, "form_only": [[0.0] * (width + 1)] * kinds_width}
    return json.dumps(head).encode() + b"\n"


if __name__ == "__main__":
    main()
