"""`deepsel batch run`, as a process of its own against real servers."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from deepsel.batch.cap import Cap, Room
from deepsel.batch.outlet import Marks, file_name

Make = Callable[..., Any]
ROOT = Path(__file__).parents[2]


def written(path: Path, *lines: Any) -> Path:
    """Write a source."""
    path.write_text("".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines))
    return path


def records(path: Path) -> list[Any]:
    """Read an output."""
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.fixture
def host(simulate: Make, profiles: Callable[..., Path]) -> Any:
    """A server that answers, and a profile with it."""
    running = simulate(text="Fine.")
    profiles(one=running)
    return running


def test_every_line_has_a_record_in_order(deepsel: Make, host: Any, home: Path) -> None:
    """Short lines, batch lines and bad lines: a record each, in the order of the source; the journal stays while some have no answer."""
    source = written(
        home / "in.jsonl", {"prompt": "One"}, "nonsense", {"id": "x", "messages": [{"role": "user", "content": "Two"}]}, "",
        {"custom_id": "y", "method": "POST", "url": "/v1/chat/completions", "body": {"messages": [{"role": "user", "content": "Three"}]}},
        {"id": "x", "prompt": "Again"}, {"custom_id": "z", "params": {"max_tokens": 5, "messages": [{"role": "user", "content": "Four"}]}},
    )  # fmt: skip
    ran = deepsel("batch", "run", str(source), "-o", "out.jsonl", "--json")
    assert ran.code == 8
    found = records(home / "out.jsonl")
    assert [(one["id"], one["line"], one["status"]) for one in found] == [
        ("1", 1, "ok"), ("2", 2, "skipped"), ("x", 3, "ok"), ("y", 5, "ok"), ("x", 6, "skipped"), ("z", 7, "ok"),
    ]  # fmt: skip
    assert [one["error"]["class"] for one in found if one["error"]] == ["bad_line", "duplicate_id"]
    summary = ran.record()
    assert (summary["lines"], summary["ok"], summary["skipped"], summary["calls"]) == (6, 4, 2, 4)
    assert len(host.calls) == 4
    assert (home / "out.jsonl.journal").exists()


def test_a_whole_job_leaves_no_journal_and_is_not_done_twice(deepsel: Make, host: Any, home: Path) -> None:
    """Exit 0, no journal; a second run is refused, and `--resume` finds nothing to do."""
    source = written(home / "in.jsonl", {"prompt": "One"}, {"prompt": "Two"})
    assert deepsel("batch", "run", str(source), "-o", "out.jsonl").code == 0
    assert not (home / "out.jsonl.journal").exists()
    assert deepsel("batch", "run", str(source), "-o", "out.jsonl").code == 2
    assert deepsel("batch", "run", str(source), "-o", "out.jsonl", "--resume").code == 0
    assert len(host.calls) == 2


def test_what_failed_is_asked_anew(deepsel: Make, simulate: Make, profiles: Callable[..., Path], home: Path) -> None:
    """`--retry-failed` asks just the lines without an answer, and their records take the place of the old ones."""
    running = simulate(text="Fine.", steps=({}, {"fault": ("400",)}, {}))
    profiles(one=running)
    source = written(home / "in.jsonl", *({"prompt": f"Question {n}"} for n in range(3)))
    assert deepsel("batch", "run", str(source), "-o", "out.jsonl", "--concurrency", "1").code == 8
    assert [one["status"] for one in records(home / "out.jsonl")] == ["ok", "failed", "ok"]
    assert deepsel("batch", "run", str(source), "-o", "out.jsonl", "--retry-failed").code == 0
    assert [(one["line"], one["status"]) for one in records(home / "out.jsonl")] == [(1, "ok"), (2, "ok"), (3, "ok")]
    assert len(running.calls) == 4


def test_a_cut_journal_goes_on_and_another_jobs_is_refused(deepsel: Make, host: Any, home: Path) -> None:
    """A tail that was cut off is cut away; other requests, or other options, are another job."""
    source = written(home / "in.jsonl", {"prompt": "One"}, "nonsense")
    deepsel("batch", "run", str(source), "-o", "out.jsonl")
    journal = home / "out.jsonl.journal"
    journal.write_bytes(journal.read_bytes()[:-9])
    assert deepsel("batch", "run", str(source), "-o", "out.jsonl", "--resume").code == 8
    assert len(records(home / "out.jsonl")) == 2
    assert len(host.calls) == 1
    assert deepsel("batch", "run", str(source), "-o", "out.jsonl", "--resume", "-s", "Be brief.").code == 2


def test_the_cap_ends_it_and_the_rest_is_untouched(
    deepsel: Make, simulate: Make, profiles: Callable[..., Path], home: Path
) -> None:
    """Exit 7 at the cap, at most one line's projection below it; `--resume` with more money goes on."""
    host = simulate(output_tokens=100)
    profiles(one=host)
    source = written(home / "in.jsonl", *({"prompt": f"Question {n}", "max_tokens": 105} for n in range(30)))
    ran = deepsel("batch", "run", str(source), "-o", "out.jsonl", "--json", "--max-cost", "0.0021", "--no-cache")
    assert ran.code == 7
    done = ran.record()
    assert 0 < done["ok"] == len(records(home / "out.jsonl")) < 30
    assert 0.0021 - 0.00022 <= float(done["cost_usd"]) <= 0.0021 + 0.00022
    assert deepsel("batch", "run", str(source), "-o", "out.jsonl", "--resume", "--max-cost", "1", "--no-cache").code == 0
    assert len(host.calls) == 30


def test_a_dry_run_sends_nothing(deepsel: Make, host: Any, home: Path) -> None:
    """It counts and prices, and leaves nothing behind."""
    source = written(home / "in.jsonl", {"prompt": "One"})
    record = deepsel("batch", "run", str(source), "--dry-run", "--json").record()
    assert (record["lines"], record["lanes"]["now"]["lines"]) == (1, 1)
    assert not host.calls


def test_a_job_that_goes_wrong_is_stopped(deepsel: Make, simulate: Make, profiles: Callable[..., Path], home: Path) -> None:
    """Exit 9 where half of the first 50 lines fail; the others stay."""
    profiles(one=simulate(fault=("400",)))
    source = written(home / "in.jsonl", *({"prompt": f"Question {n}"} for n in range(200)))
    assert deepsel("batch", "run", str(source), "-o", "out.jsonl").code == 9
    assert len(records(home / "out.jsonl")) < 200


def test_each_line_is_asked_of_whom_was_named(deepsel: Make, simulate: Make, profiles: Callable[..., Path], home: Path) -> None:
    """`-m` goes before a line's own model, that before the profile's; a part of a name will do, and a name nobody has is exit 3."""
    profiles(first=simulate(text="Fine."), second=simulate(text="Fine."))
    source = written(home / "in.jsonl", {"prompt": "One"}, {"prompt": "Two", "model": "second"})

    def models(*options: str) -> list[str]:
        assert deepsel("batch", "run", str(source), "-o", "out.jsonl", *options).code == 0
        found = [one["model"] for one in records(home / "out.jsonl")]
        (home / "out.jsonl").unlink()
        return found

    assert models() == ["first", "second"]
    assert models("-m", "second") == ["second", "second"]
    assert models("-m", "seco") == ["second", "second"]
    assert models("-m", "first") == ["first", "first"]
    assert deepsel("batch", "run", str(source), "-o", "out.jsonl", "-m", "nobody-has-it").code == 3


def test_a_piped_source_as_the_answers_come(deepsel: Make, simulate: Make, profiles: Callable[..., Path], home: Path) -> None:
    """`-` reads standard input; `--unordered` does not wait for a slow line, and each line is there once."""
    profiles(one=simulate(text="Fine.", steps=({"ttft_s": 1.5}, {})))
    lines = "".join(json.dumps({"id": f"q{n}", "prompt": f"Question {n}"}) + "\n" for n in range(12))
    assert deepsel("batch", "run", "-", "-o", "out.jsonl", "--unordered", stdin=lines).code == 0
    found = [one["id"] for one in records(home / "out.jsonl")]
    assert sorted(found) == sorted(f"q{n}" for n in range(12))
    assert found != sorted(found, key=lambda one: int(one[1:]))


@pytest.mark.parametrize(("ratio", "code"), [("0.2", 9), ("0.9", 8)])
def test_how_much_may_fail_can_be_said(
    deepsel: Make, simulate: Make, profiles: Callable[..., Path], home: Path, ratio: str, code: int
) -> None:
    """A third of the lines fail: more than a fifth ends the job, less than nine tenths does not."""
    day = ({}, {"fault": ("400",)}, {}) * 50
    profiles(one=simulate(text="Fine.", steps=day))
    source = written(home / "in.jsonl", *({"prompt": f"Question {n}"} for n in range(120)))
    ran = deepsel("batch", "run", str(source), "-o", "out.jsonl", "--on-fail-ratio", ratio, "--concurrency", "4")
    assert ran.code == code, ran.err
    assert (len(records(home / "out.jsonl")) == 120) is (code == 8)


@pytest.mark.parametrize("times", [1, 2])
def test_ctrl_c_loses_nothing(simulate: Make, profiles: Callable[..., Path], deepsel: Make, home: Path, times: int) -> None:
    """Once: those under way are finished. Twice: it leaves at once. Either way `--resume` asks the rest, and none twice but those."""
    running = simulate(text="Fine.", ttft_s=0.3)
    profiles(one=running)
    source = written(home / "in.jsonl", *({"prompt": f"Question {n}"} for n in range(60)))
    arguments = ("batch", "run", str(source), "-o", "out.jsonl", "--concurrency", "4", "--yes")
    process = subprocess.Popen(
        [sys.executable, "-m", "deepsel", *arguments], cwd=home, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    while len(running.calls) < 9:
        assert process.poll() is None
        time.sleep(0.01)
    for _ in range(times):
        process.send_signal(signal.SIGINT)
        time.sleep(0.05)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "--resume" in err
    assert "Traceback" not in err
    asked = len(running.calls)
    assert asked < 60
    done = [one["line"] for one in records(home / "out.jsonl")]
    assert len(done) == len(set(done)) >= (asked if times == 1 else asked - 4)
    assert deepsel(*arguments, "--resume").code == 0
    assert [one["line"] for one in records(home / "out.jsonl")] == list(range(1, 61))
    assert len(running.calls) <= 60 + (0 if times == 1 else 4)


def test_a_file_each(deepsel: Make, host: Any, home: Path) -> None:
    """With `--each` and `--out-dir` every file has its answer."""
    (home / "docs").mkdir()
    for name in ("a.txt", "b.txt"):
        (home / "docs" / name).write_text(f"I am {name}.")
    assert deepsel("batch", "run", "--each", "docs/*.txt", "Sum up {text}", "--out-dir", "out").code == 0
    assert sorted(str(path.relative_to(home / "out")) for path in (home / "out").rglob("*.md")) == ["docs/a.txt.md", "docs/b.txt.md"]
    assert "Sum up I am a.txt." in json.dumps([call.body for call in host.calls])


def test_killed_again_and_again(home: Path) -> None:
    """However often a job is killed, every line is there once, and no more is asked than lines and those under way."""
    command = [sys.executable, str(ROOT / "scripts" / "batch" / "kills.py"), "--lines", "150", "--kills", "3", "--at-once", "16"]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, cwd=home, timeout=120)
    assert ran.returncode == 0, ran.stdout + ran.stderr


LANES = (
    ("openai", "gpt-6.1-sol", False), ("anthropic", "claude-opus-5-5", True), ("mistral", "mistral-large-4", False),
    ("qwen", "qwen-flash", False), ("openrouter", "openrouter/auto", False),
)  # fmt: skip


@pytest.mark.parametrize("day", ["", "half_expired", "results_missing", "create_lost", "errored_lines"])
@pytest.mark.parametrize(("provider", "model", "is_root"), LANES, ids=[row[0] for row in LANES])
def test_a_lane_accounts_for_every_line(
    deepsel: Make, simulate: Make, home: Path, provider: str, model: str, is_root: bool, day: str
) -> None:
    """Whatever day a provider's job has: every line has one record, and none is answered twice there."""
    running = simulate(text="Fine.", batch_day=day)
    url = running.url if is_root else running.base_url
    row = f'[providers.{provider}]\nbase_url = "{url}"\napi_key_env = "TEST_KEY"\n'
    (home / "profiles.toml").write_text(f'{row}[profiles.main]\nmodels = ["{model}"]\n')
    source = written(home / "in.jsonl", *({"prompt": f"Question {n}"} for n in range(6)))
    ran = deepsel("batch", "run", str(source), "-o", "out.jsonl", "--lane", "batch", "--json")
    assert ran.code == (8 if day == "errored_lines" else 0), ran.err
    found = records(home / "out.jsonl")
    assert [one["line"] for one in found] == [1, 2, 3, 4, 5, 6]
    answered = running.batch_answers
    assert len(answered) == len(set(answered))
    if day in ("", "create_lost"):
        assert {one["lane"] for one in found} == {"batch"}
        assert not [call for call in running.calls if call.path.endswith(("/chat/completions", "/v1/messages"))]


def test_a_price_that_was_named_is_kept(deepsel: Make, simulate: Make, home: Path) -> None:
    """What a provider leaves undone again and again is never asked at the full price; it is with the provider, and can be collected."""
    running = simulate(text="Fine.", batch_day="half_expired", batch_bad_jobs=99)
    row = f'[providers.openai]\nbase_url = "{running.base_url}"\napi_key_env = "TEST_KEY"\n'
    (home / "profiles.toml").write_text(f'{row}[profiles.main]\nmodels = ["gpt-6.1-sol"]\n')
    source = written(home / "in.jsonl", *({"prompt": f"Question {n}"} for n in range(64)))
    arguments = ("batch", "run", str(source), "-o", "out.jsonl", "--lane", "batch", "--max-cost", "50")
    ran = deepsel(*arguments)
    assert ran.code == 5, ran.err
    assert "of 64 lines are left" in ran.err
    for _ in range(3):
        ran = deepsel(*arguments, "--resume") if ran.code == 5 else ran
    assert ran.code == 0, ran.err
    assert not [call for call in running.calls if call.path.endswith("/chat/completions")]
    assert len(records(home / "out.jsonl")) == 64


def test_a_cap_lets_lines_run_alone_near_its_end() -> None:
    """Far from the cap side by side; then one at a time; then none."""
    cap = Cap(100)
    assert cap.room_for(10, 60) is Room.NOW
    cap.send(1, 10, 60)
    assert cap.room_for(10, 60) is Room.WHEN_ALONE
    cap.settle(1, 10)
    assert cap.room_for(10, 60) is Room.NOW
    cap.send(2, 10, 60)
    cap.settle(2, 85)
    assert cap.room_for(10, 60) is Room.NEVER


def test_names_lead_nowhere_and_are_one_each() -> None:
    """No id leads out of its folder, and no two share a file."""
    ids = ["a", "../a", "a/../b", "%2E%2E/a", ".", "..", "", "/etc/x", "a b", "x" * 500, "x" * 501]
    names = [file_name(one) for one in ids]
    assert len(set(names)) == len(ids)
    assert not any(part in ("", ".", "..") for name in names for part in name.split("/"))


def test_marks_are_a_set() -> None:
    """A number is in once it was taken in, until it is taken out."""
    marks = Marks()
    marks.add(100_000)
    assert 100_000 in marks
    assert 99_999 not in marks
    marks.discard(100_000)
    assert 100_000 not in marks
