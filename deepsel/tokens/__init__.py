"""Token counts: the makers' own vocabularies offline, a reconstruction or an estimate where there is none."""

from deepsel.tokens.counting import Count, count, count_all, count_messages, prepare
from deepsel.tokens.cutting import TextPiece, pieces
from deepsel.tokens.vocabulary import NAMES, Vocabulary, encoding

__all__ = [
    "NAMES",
    "Count",
    "TextPiece",
    "Vocabulary",
    "count",
    "count_all",
    "count_messages",
    "encoding",
    "pieces",
    "prepare",
]
