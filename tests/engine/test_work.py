"""How much work one uncached `ask` does: bodies built, keys hashed, looks at the answers' database; each ask is a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter

CODE = """
import json, re, sqlite3, sys
from collections import Counter
import deepsel.cache.store, deepsel.engine.encoded
from deepsel.wires import anthropic_messages, openai_chat
counted, READS = Counter(), re.compile("SELECT value.* FROM Cache WHERE key = ")
def count(module, name, label):
    real = getattr(module, name)
    def noted(*arguments, **named):
        counted[label(*arguments)] += 1
        return real(*arguments, **named)
    setattr(module, name, noted)
for wire in (openai_chat, anthropic_messages):
    count(wire, "encode", lambda request, model, *_: "body of " + model.name)
count(deepsel.engine.encoded, "cache_key", lambda *_: "keys made")
count(deepsel.cache.store, "cache_key", lambda *_: "keys checked")
connect = sqlite3.connect
def watched(path, *arguments, **named):
    made = connect(path, *arguments, **named)
    if "cache.db" in str(path):
        made.set_trace_callback(lambda said: counted.update(["looks"] if READS.match(said) else []))
    return made
sqlite3.connect = watched
from deepsel.cli.app import run
assert run(sys.argv[1:]) == 0
print(json.dumps(counted), file=sys.stderr)
"""


def work_of(*arguments: str) -> Counter[str]:
    """What an ask that is answered by the demo's simulator does."""
    command = [sys.executable, "-c", CODE, "ask", "-p", "demo", "-q", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    return Counter(json.loads(done.stderr.splitlines()[-1]))


def test_one_candidate_takes_one_body_and_three_looks() -> None:
    """It is encoded and hashed once; the disk is looked at before the plan, when it is this one's turn to ask, and after it is kept."""
    work_of("-m", "demo-gpt-6-luna", "What is DNS?")  # leaves a database to look at
    found = work_of("-m", "demo-gpt-6-luna", "What is TLS?")
    assert found == {"body of demo-gpt-6-luna": 1, "keys made": 1, "keys checked": 1, "looks": 3}


def test_several_candidates_take_a_body_each() -> None:
    """Each candidate that might have an answer is encoded, hashed and looked for once before the plan; nobody is encoded again."""
    work_of("What is DNS?")
    found = work_of("What is TLS?")
    bodies = [count for label, count in found.items() if label.startswith("body of ")]
    assert len(bodies) > 1
    assert bodies == [1] * len(bodies)
    assert (found["keys made"], found["keys checked"], found["looks"]) == (len(bodies), 1, 2 * len(bodies) + 1)


def test_without_cache_one_body_is_built_and_nothing_is_hashed() -> None:
    """Only who is asked is encoded, no key is made, and the answers' database is left alone."""
    found = work_of("--no-cache", "What is DNS?")
    assert list(found.values()) == [1]
    assert next(iter(found)).startswith("body of ")
