"""Blocks of code in Markdown, found as CommonMark says."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepsel.show.fences import Fenced, fenced_blocks, last_block


@pytest.mark.parametrize(
    ("text", "blocks"),
    [
        ("no code", []),
        ("```py\na\n```\n", [Fenced("py", "a\n")]),
        ("a\n~~~\nb\n~~~\nc\n```Json x\n{}\n````\n", [Fenced("", "b\n"), Fenced("json", "{}\n")]),
        ("````md\n```py\na\n```\n````\n", [Fenced("md", "```py\na\n```\n")]),
        ("  ```py\n  a\n    b\n  ```\n", [Fenced("py", "a\n  b\n")]),
        ("```py\nnever closed", [Fenced("py", "never closed")]),
        ("    ```\nindented code is no fence\n", []),
        ("say ``` in a line\n", []),
        ("```a`b\nno fence\n", []),
    ],
)
def test_blocks(text: str, blocks: list[Fenced]) -> None:
    """Kind and length of the fence, indentation, and the word behind it."""
    assert fenced_blocks(text) == blocks


@given(st.text(alphabet="ab `~\n", max_size=30))
def test_any_code_comes_out_as_it_went_in(code: str) -> None:
    """A fence longer than any within gives back exactly what it holds."""
    code = code if code.endswith("\n") else code + "\n"
    assert last_block(f"words\n{'`' * 40}py\n{code}{'`' * 40}\nmore\n") == code


def test_the_last_one_in_a_language() -> None:
    """Names that mean the same are the same."""
    text = "```python\n1\n```\n```bash\n2\n```\n```py\n3\n```\n```\n4\n```\n"
    assert [last_block(text, name) for name in ("", "python", "sh", "json")] == ["4\n", "3\n", "2\n", None]
