"""The whole way from paths to a Reading, on real files."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from reading_builders import reader_for, targets_for

from deepsel import tokens
from deepsel.estimate.reading.count import Progress
from deepsel.estimate.reading.read import read, read_text
from deepsel.estimate.records import Input, Reading, Skipped
from deepsel.values import Source

NAMES = ("o200k_base", "deepseek")
SAMPLES = Path(__file__).parents[3] / "samples"


def _total(one: Input, name: str = "o200k_base") -> int:
    return sum(piece.tokens[name].tokens for piece in one.pieces)


def _only(reading: Reading) -> Input:
    (one,) = reading.inputs
    return one


def test_a_file_counts_as_its_text(tmp_path: Path) -> None:
    """The tokens of a file of many languages and several reads are exactly those of its text, by language and in sum."""
    text = "\n\n".join(path.read_text("utf-8") for path in sorted(SAMPLES.glob("*.txt"))) * 8
    path = tmp_path / "all.txt"
    path.write_text(text, "utf-8")
    one = _only(read([str(path)], targets=targets_for(NAMES)))
    for name in NAMES:
        assert _total(one, name) == tokens.count(text, name).tokens == one.largest_text[name]
    assert sum(piece.size_bytes for piece in one.pieces) == len(text.encode())
    assert sum(piece.chars for piece in one.pieces) == len(text)
    assert len({piece.language for piece in one.pieces}) >= 38
    assert (one.requests, one.read_share, one.encoding) == (1, 1.0, "utf-8")
    assert all(piece.tokens["deepseek"].source is Source.COUNTED for piece in one.pieces)


def test_the_number_of_processes_changes_nothing(tmp_path: Path) -> None:
    """One process and four give the same Reading."""
    for path in SAMPLES.glob("*.txt"):
        (tmp_path / path.name).write_text(path.read_text("utf-8") * 50, "utf-8")
    assert read([str(tmp_path)], targets=targets_for(NAMES), processes=1) == read([str(tmp_path)], targets=targets_for(NAMES), processes=4)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    text=st.lists(
        st.sampled_from(
            ["\n", "\n\n", "\r\n", "Word ", "word.\n", "  x", "12", "{}", "你好", "カナ", "नमस्ते ", "é", "😀", "\t"]
        ),
        max_size=80,
    ).map("".join),
    codec=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
def test_any_text_in_any_unicode_encoding_counts_exactly(text: str, codec: str, tmp_path: Path) -> None:
    """Whatever the text and its encoding, the file has the count of the text."""
    path = tmp_path / "any.txt"
    path.write_bytes(text.encode(codec))
    one = _only(read([str(path)], targets=targets_for(["o200k_base"])))
    assert _total(one) == tokens.count(text, "o200k_base").tokens


def test_json_lines_are_requests(tmp_path: Path) -> None:
    """Each line is a request, counted by its messages; the largest one is told; a broken line is a notice with its number."""
    contents = ["Hello there.", "Guten Tag!", "A much longer question about many things. " * 20]
    path = tmp_path / "batch.jsonl"
    lines = [json.dumps({"custom_id": str(i), "body": {"messages": [{"role": "user", "content": c}] * 2}}) for i, c in enumerate(contents)]
    path.write_text("\n".join([lines[0], "{broken", "", *lines[1:]]) + "\n")
    reading = read([str(path)], targets=targets_for(NAMES))
    one = _only(reading)
    counts = [2 * tokens.count(content, "o200k_base").tokens for content in contents]
    assert _total(one) == sum(counts)
    read_so = one.framings[reader_for("o200k_base")]
    assert (read_so.tokens, read_so.doubt, read_so.largest) == (3 * 11, 0, max(counts) + 11)
    assert one.requests == 3
    assert [(notice.code, "line 2" in notice.message) for notice in reading.notices] == [("broken_line", True)]


def test_json_lines_of_another_kind_are_text(tmp_path: Path) -> None:
    """A log in JSON lines is one text."""
    path = tmp_path / "log.jsonl"
    path.write_text('{"level": "info", "text": "started"}\n' * 3)
    one = _only(read([str(path)], targets=targets_for(NAMES)))
    assert (one.requests, _total(one)) == (1, tokens.count(path.read_text(), "o200k_base").tokens)


def test_a_first_request_longer_than_a_read_is_seen(tmp_path: Path) -> None:
    """A request of more than one read on the first line still makes the file requests."""
    path = tmp_path / "long.jsonl"
    path.write_text(json.dumps({"prompt": "word " * 100_000}) + "\n" + json.dumps({"prompt": "word"}) + "\n")
    assert _only(read([str(path)], targets=targets_for(NAMES))).requests == 2


def test_standard_input_is_text_or_requests() -> None:
    """`-` reads what is piped in: text, or requests where the lines are; binary is skipped."""
    one = _only(read(["-"], targets=targets_for(NAMES), stdin=io.BytesIO(b"Hello there.\n")))
    assert (one.path, one.requests, one.pieces[0].size_bytes) == ("-", 1, 13)
    assert _only(read(["-"], targets=targets_for(NAMES), stdin=io.BytesIO(b'{"prompt":"a"}\n{"prompt":"b"}'))).requests == 2
    assert read(["-"], targets=targets_for(NAMES), stdin=io.BytesIO(b"\0\1")).skipped == (Skipped("-", "binary"),)


def test_nonsense_gives_rows_and_skips(tmp_path: Path) -> None:
    """An empty file, broken UTF-8, legacy text, binary, a pipe and a device together: rows, skips and notices, no failure."""
    (tmp_path / "empty.txt").touch()
    (tmp_path / "broken.txt").write_bytes("Üben macht Freude. ".encode() * 9 + b"\xff")
    (tmp_path / "legacy.txt").write_bytes("Übung für später, schöne Größe. ".encode("cp1252") * 9)
    (tmp_path / "picture.png").write_bytes(b"\x89PNG\r\n\x1a\n\0")
    (tmp_path / "surrogate.jsonl").write_text(r'{"prompt": "a\ud800"}')
    os.mkfifo(tmp_path / "pipe")
    reading = read([str(tmp_path), "/dev/zero"], targets=targets_for(NAMES))
    assert [Path(one.path).name for one in reading.inputs] == ["broken.txt", "empty.txt", "legacy.txt", "surrogate.jsonl"]
    assert {Path(one.path).name for one in reading.skipped} == {"pipe", "picture.png", "zero"}
    assert [notice.code for notice in reading.notices] == ["encoding", "encoding", "encoding"]
    empty = reading.inputs[1]
    assert (_total(empty), empty.pieces[0].language, empty.pieces[0].size_bytes) == (0, "und", 0)


def test_a_file_gone_since_it_was_found_is_a_skip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that vanishes between the walk and the reading is skipped."""
    (tmp_path / "a.txt").write_text("a")
    (tmp_path / "b.txt").write_text("b")
    from deepsel.estimate.reading import read as module

    find = module.find

    def find_then_remove(paths: list[str]) -> object:
        result = find(paths)
        (tmp_path / "b.txt").unlink()
        return result

    monkeypatch.setattr(module, "find", find_then_remove)
    reading = read([str(tmp_path)], targets=targets_for(NAMES))
    assert [Path(one.path).name for one in reading.inputs] == ["a.txt"]
    assert reading.skipped[0].reason == "no such file or directory"


def test_a_line_without_end_is_counted_exactly(tmp_path: Path) -> None:
    """Megabytes of words without a line end are cut between words: the count is exact and nothing has to be said."""
    path = tmp_path / "long.txt"
    path.write_text("some words of text and " * 60_000)
    reading = read([str(path)], targets=targets_for(["o200k_base"]))
    assert _total(_only(reading)) == tokens.count("some words of text and " * 60_000, "o200k_base").tokens
    assert reading.notices == ()


def test_a_word_without_end_is_counted_with_a_notice(tmp_path: Path) -> None:
    """A run of one letter gives no place to cut: it is cut all the same, and that is said."""
    path = tmp_path / "run.txt"
    path.write_text("a" * 300_000)
    reading = read([str(path)], targets=targets_for(["o200k_base"]))
    assert [notice.code for notice in reading.notices] == ["inexact_cut"]
    assert _total(_only(reading)) > 10_000


def test_progress_ends_at_the_whole(tmp_path: Path) -> None:
    """Progress grows to all bytes and all tokens."""
    (tmp_path / "a.txt").write_text("A line of text.\n" * 160_000)
    (tmp_path / "b.txt").write_text("Another line.\n" * 10)
    steps: list[Progress] = []
    reading = read([str(tmp_path)], targets=targets_for(NAMES), on_progress=steps.append)
    done = [step.done_bytes for step in steps]
    assert done == sorted(done)
    assert done[-1] == steps[-1].total_bytes == 2_560_140
    assert len(steps) > 4
    assert steps[-1].tokens["deepseek"] == sum(_total(one, "deepseek") for one in reading.inputs)


def test_a_text_in_memory_counts_as_its_file(tmp_path: Path) -> None:
    """One side of a diff has the row that its file would have; binary is a skip."""
    path = tmp_path / "prompt.md"
    path.write_text("# Title\n\nAnswer in one sentence.\n")
    assert read_text(str(path), path.read_bytes(), targets=targets_for(NAMES)) == _only(read([str(path)], targets=targets_for(NAMES)))
    assert read_text("a.bin", b"\0", targets=targets_for(NAMES)) == Skipped("a.bin", "binary")


def test_the_program_is_heard_when_interrupted(tmp_path: Path) -> None:
    """Ctrl-C during a reading of an endless standard input ends the process."""
    code = (
        "import sys\nfrom deepsel.estimate.reading.read import read\nfrom deepsel.estimate.records import Targets\n"
        "read(['-'], targets=Targets(('o200k_base',)), stdin=sys.stdin.buffer, "
        "on_progress=lambda step: print(step.done_bytes, flush=True))\n"
    )
    endless = subprocess.Popen([sys.executable, "-c", "while True: print('a line of text')"], stdout=subprocess.PIPE)
    reader = subprocess.Popen(
        [sys.executable, "-c", code], stdin=endless.stdout, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=SAMPLES.parent
    )
    with endless, reader:
        assert reader.stdout
        assert int(reader.stdout.readline()) > 0
        reader.send_signal(2)
        reader.communicate(timeout=60)
        endless.kill()
    assert reader.returncode != 0


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    """A process that counts 16 MB needs no more memory than one that counts 4 MB, give or take 8 MB."""
    code = (
        "import sys\nfrom deepsel.estimate.reading.read import read\nfrom deepsel.estimate.records import Targets\n"
        "read([sys.argv[1]], targets=Targets(('cl100k_base',)), processes=2)\n"
        "print(next(line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM')))\n"
    )
    peaks_kb = []
    for size_mb in (4, 16):
        path = tmp_path / f"{size_mb}.py"
        path.write_text("def add(a, b):\n    return a + b  # a line of a program\n\n\n" * (size_mb * 1_000_000 // 58))
        command = [sys.executable, "-c", code, str(path)]
        peaks_kb.append(int(subprocess.run(command, capture_output=True, check=True, timeout=100, cwd=SAMPLES.parent).stdout))
    assert peaks_kb[1] - peaks_kb[0] < 8_000
