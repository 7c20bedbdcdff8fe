"""The catalog knows the templates there are, and each can be had."""

from __future__ import annotations

import pytest

from deepsel.catalog.rows import TEMPLATES as NAMED_BY_ROWS
from deepsel.tokens.templates.table import OF_VOCABULARY, TEMPLATES, template
from deepsel.values import Message, Request


def test_a_row_may_name_what_there_is() -> None:
    """What a model's row may name, and what a vocabulary stands for, are templates of the table, all of them."""
    assert set(NAMED_BY_ROWS) == set(TEMPLATES) >= set(OF_VOCABULARY.values())


@pytest.mark.parametrize("name", TEMPLATES)
def test_each_writes_a_request(name: str) -> None:
    """A name of the table leads to a function that writes what was said."""
    assert "What is DNS?" in "".join(template(name)(Request((Message.of("user", "What is DNS?"),)), thinks=False).texts)
