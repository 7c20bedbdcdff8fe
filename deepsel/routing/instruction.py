"""Tells what a prompt asks for from what it pastes; owns no judgement of either.

Everything routing learns from a prompt it learns from a bounded head and tail, so a 200 KB log costs no more to look
at than a short one and says no more about the work than the sentence that came with it.
"""

from __future__ import annotations

import re

from deepsel.records import NamedTuple
from deepsel.routing.patterns import late

HEAD_CHARS = 600
"""The most of the beginning of a prompt that may count as instruction."""
TAIL_CHARS = 300
"""The same at its end."""
WHOLE_CHARS = 1600
"""A prompt up to this length is looked at whole."""
_FENCED = late(r"```.*?(?:```|\Z)", re.DOTALL)
"""A fenced block, closed or running to the end."""

_TURNS = late(
    r"<\|?/?[a-z_]{1,12}\|?>(?:system|user|assistant)?|\[/?INST\]|</?s>|<</?SYS>>|^#{2,4} ?[A-Z][\w ]{2,20}:?$",
    re.MULTILINE,
)
"""What marks turns: of chat templates, and headings of a word or two."""
_BEFORE = late(r"\A\s*(?:(?:Q|Question|Instruction|Input|Prompt|Human|User|Task)\s?:\s*)+", re.IGNORECASE)
_AFTER = late(r"\n\s*(?:A|Answer|Response|Output|Assistant|Solution)\s?:\s*\Z", re.IGNORECASE)


class Parts(NamedTuple):
    """A prompt taken apart."""

    head: str
    """Where it begins: nearly always the instruction."""
    tail: str
    """Its last paragraph where that may be the instruction; empty where there is none or it is the head."""
    has_code: bool
    """Whether a fenced block was cut out."""

    @property
    def text(self) -> str:
        """Head and tail together."""
        return f"{self.head}\n{self.tail}" if self.tail else self.head


def clip(prompt: str) -> str:
    """Return the beginning and the end of a long prompt, without the marks of a template."""
    clipped = len(prompt) > 2 * WHOLE_CHARS
    return without_template(f"{prompt[:WHOLE_CHARS]}\n\n{prompt[-WHOLE_CHARS:]}" if clipped else prompt)


def split(prompt: str) -> Parts:
    """Take a prompt apart; reads at most its first and last few thousand characters."""
    text = clip(prompt)
    unfenced = text
    if "```" in text:
        unfenced = _FENCED.sub("\n\n", text)
    has_code = unfenced != text
    blocks = [block.strip() for block in unfenced.split("\n\n") if block.strip()]
    if not blocks:
        return Parts(head=text.strip()[:HEAD_CHARS], tail="", has_code=has_code)
    blocks = [*_first_lines(blocks[0]), *blocks[1:-1], *_last_lines(blocks[-1], is_only=len(blocks) == 1)]
    head = _clip_end(blocks[0])
    tail = _clip_start(blocks[-1]) if len(blocks) > 1 else ""
    if not is_question_like(tail) and (head.endswith((":", "：")) or _is_data(tail)):
        tail = ""
    return Parts(head=head, tail=tail, has_code=has_code)


def without_template(text: str) -> str:
    """Take off the marks that a template puts round a prompt: turns of a chat, `### Instruction:`, `Question:`, `Answer:`."""
    if any(mark in text for mark in "<[#"):
        text = _TURNS.sub("\n", text)
    text = text.strip()
    text = _BEFORE.sub("", text)
    return _AFTER.sub("", text).rstrip()


def is_question_like(text: str) -> bool:
    """Say whether a passage asks or announces something, in any of the scripts we know."""
    return text.rstrip(" \n\"'»”").endswith(("?", "？", "؟", ":", "："))


def _first_lines(block: str) -> list[str]:
    """Cut a block after its first line where it is long or announced, so that `Summarise this:` stands alone."""
    first, _, rest = block.partition("\n")
    is_apart = len(block) > TAIL_CHARS or first.endswith((":", "："))
    return [first, rest] if rest and is_apart else [block]


def _last_lines(block: str, *, is_only: bool) -> list[str]:
    """Cut the last line off a long block; nothing for the block that was already taken as the first."""
    if is_only:
        _, _, last = block.rpartition("\n")
        return [last] if last != block and is_question_like(last) else []
    return [block] if len(block) <= TAIL_CHARS else block.rsplit("\n", 1)


def _is_data(text: str) -> bool:
    """Say whether a passage is figures and signs rather than words."""
    wordy = sum(char.isalpha() or char == " " or char > "\u02ff" for char in text)
    return wordy < 0.75 * len(text)


def _clip_end(block: str) -> str:
    """Keep the first HEAD_CHARS, to the end of a sentence where one ends late enough."""
    if len(block) <= HEAD_CHARS:
        return block
    cut = block[:HEAD_CHARS]
    end = max(cut.rfind(mark) for mark in (". ", "? ", "! ", "。", "？", "\n"))
    return cut[: end + 1] if end > HEAD_CHARS // 3 else cut


def _clip_start(block: str) -> str:
    """Keep a last paragraph only where it is short enough to be a request, or ends as one."""
    if len(block) <= TAIL_CHARS:
        return block
    return block[-TAIL_CHARS:] if is_question_like(block) else ""
