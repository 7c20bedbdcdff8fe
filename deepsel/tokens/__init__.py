"""Token counts: the makers' own vocabularies offline, a reconstruction or an estimate where there is none."""

from deepsel.tokens.counting import Count, count, count_all, count_messages, prepare
from deepsel.tokens.cutting import TextPiece, pieces
from deepsel.tokens.pictures import Bounds, Picture, count_picture, picture_of
from deepsel.tokens.vocabulary import NAMES, Vocabulary, encoding

__all__ = [
    "NAMES",
    "Bounds",
    "Count",
    "Picture",
    "TextPiece",
    "Vocabulary",
    "count",
    "count_all",
    "count_messages",
    "count_picture",
    "encoding",
    "picture_of",
    "pieces",
    "prepare",
]
