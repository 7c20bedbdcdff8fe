"""Token counts: the makers' own vocabularies offline, a reconstruction or an estimate where there is none."""

from deepsel.tokens.counting import Count, count, count_all, prepare
from deepsel.tokens.cutting import TextPiece, pieces
from deepsel.tokens.pictures import Picture, TokenBounds, count_picture, picture_of
from deepsel.tokens.requests import Framed, ModelReader, count_request, framed, framing_of, reader_of
from deepsel.tokens.vocabulary import NAMES, Vocabulary, encoding

__all__ = [
    "NAMES",
    "Count",
    "Framed",
    "ModelReader",
    "Picture",
    "TextPiece",
    "TokenBounds",
    "Vocabulary",
    "count",
    "count_all",
    "count_picture",
    "count_request",
    "encoding",
    "framed",
    "framing_of",
    "picture_of",
    "pieces",
    "prepare",
    "reader_of",
]
