"""Token counts: the makers' own vocabularies offline, a reconstruction or an estimate where there is none."""

TYPE_CHECKING = False  # for type checkers alone; each name is imported when it is first used

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

if TYPE_CHECKING:
    from deepsel.tokens.counting import Count, count, count_all, prepare
    from deepsel.tokens.cutting import TextPiece, pieces
    from deepsel.tokens.pictures import Picture, TokenBounds, count_picture, picture_of
    from deepsel.tokens.requests import Framed, ModelReader, count_request, framed, framing_of, reader_of
    from deepsel.tokens.vocabulary import NAMES, Vocabulary, encoding
else:
    from deepsel.on_use import names_of

    __getattr__ = names_of(
        __name__,
        {
            "counting": "Count count count_all prepare",
            "cutting": "TextPiece pieces",
            "pictures": "Picture TokenBounds count_picture picture_of",
            "requests": "Framed ModelReader count_request framed framing_of reader_of",
            "vocabulary": "NAMES Vocabulary encoding",
        },
    )
