"""Token counts: the makers' own vocabularies offline, a reconstruction or an estimate where there is none."""

from deepsel.tokens.counting import Count, count, count_all, prepare
from deepsel.tokens.cutting import TextPiece, pieces
from deepsel.tokens.pictures import Bounds, Picture, count_picture, picture_of
from deepsel.tokens.requests import Reader, count_request, framing_of, reader_of
from deepsel.tokens.vocabulary import NAMES, Vocabulary, encoding

__all__ = [
    "NAMES",
    "Bounds",
    "Count",
    "Picture",
    "Reader",
    "TextPiece",
    "Vocabulary",
    "count",
    "count_all",
    "count_picture",
    "count_request",
    "encoding",
    "framing_of",
    "picture_of",
    "pieces",
    "prepare",
    "reader_of",
]
