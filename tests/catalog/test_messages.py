"""The advice after a failure: every class in every language, hints that can be reached, and the language that is chosen."""

from __future__ import annotations

import pytest

from deepsel.catalog import language, what_to_do
from deepsel.catalog.files import read_data
from deepsel.catalog.messages import LANGUAGES
from deepsel.errors import ErrorClass

TABLE = read_data("messages.json")


def test_every_class_has_advice_in_every_language() -> None:
    """No failure leaves a person without a next step, in English or Chinese."""
    assert set(TABLE["classes"]) == set(ErrorClass)
    for row in (*TABLE["classes"].values(), *TABLE["hints"]):
        assert all(row[lang] for lang in LANGUAGES)


def test_hints_can_be_reached() -> None:
    """Each hint's fragments are in lower case, its class is known, and none is shadowed by an earlier one."""
    for hint in TABLE["hints"]:
        assert hint["class"] in set(ErrorClass)
        assert all(fragment == fragment.lower() for fragment in hint["any"])
        assert any(what_to_do(ErrorClass(hint["class"]), fragment) == hint["en"] for fragment in hint["any"])


@pytest.mark.parametrize(
    ("error", "words", "lang", "fragment"),
    [
        (ErrorClass.BILLING, "Insufficient Balance", "en", "top it up"),
        (ErrorClass.BILLING, "账户余额不足", "zh", "充值"),
        (ErrorClass.AUTH, "region mismatch", "en", "region"),
        (ErrorClass.RATE_LIMITED, "You exceeded your TPM", "en", "minute"),
        (ErrorClass.BAD_REQUEST, "Model Not Exist", "zh", "deepsel models"),
        (ErrorClass.CONTENT_POLICY, "Input data may contain inappropriate content", "en", "content_policy_fallback"),
        (ErrorClass.SERVER, "something nobody has heard of", "en", "try again later"),
        (ErrorClass.SERVER, "something nobody has heard of", "zh", "稍后再试"),
    ],
)
def test_words_are_matched(error: ErrorClass, words: str, lang: str, fragment: str) -> None:
    """A provider's words, in either language, lead to the advice for them; unknown ones to that of the class."""
    assert fragment in what_to_do(error, words, lang=lang)


@pytest.mark.parametrize(
    ("env", "lang"),
    [
        ({}, "en"),
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "de_DE.UTF-8"}, "en"),
        ({"LC_ALL": "en_US.UTF-8", "LANG": "zh_CN"}, "en"),
        ({"DEEPSEL_LANG": "zh", "LC_ALL": "C"}, "zh"),
        ({"DEEPSEL_LANG": "EN", "LANG": "zh_CN"}, "en"),
    ],
)
def test_language_follows_the_environment(env: dict[str, str], lang: str) -> None:
    """DEEPSEL_LANG decides, then the locale; a language without a table is English."""
    assert language(env) == lang
