"""Undoes gzip and deflate within bounds, as bytes come; knows no HTTP library.

Ours, since the HTTP client's own decoder inflates each chunk whole, however large it gets.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from deepsel.errors import AttemptFailed, ErrorClass

_PIECE_BYTES = 64 * 1024
# zlib's own flags: the format of the header that is expected.
_WINDOWS = {"gzip": zlib.MAX_WBITS | 16, "x-gzip": zlib.MAX_WBITS | 16, "deflate": zlib.MAX_WBITS}


def inflated(chunks: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    """Give `chunks` decoded by a `content-encoding`, in pieces of bounded size.

    Raises AttemptFailed: malformed for another encoding or bad data, stream_cut where the data ends early.
    """
    name = encoding.strip().lower()
    return chunks if name in ("", "identity") else _inflated(chunks, name)


def _inflated(chunks: Iterator[bytes], name: str) -> Iterator[bytes]:
    if name not in _WINDOWS:
        raise AttemptFailed(ErrorClass.MALFORMED, f"the answer is encoded as `{name[:40]}`, which was not asked for")
    inflater = zlib.decompressobj(_WINDOWS[name])
    has_data = False
    for chunk in chunks:
        has_data = has_data or bool(chunk)
        is_full = False  # a full piece may have left output behind, with or without input
        try:
            while (chunk or is_full) and not inflater.eof:
                piece = inflater.decompress(chunk, _PIECE_BYTES)
                chunk, is_full = inflater.unconsumed_tail, len(piece) == _PIECE_BYTES
                if piece:
                    yield piece
        except zlib.error as error:
            raise AttemptFailed(ErrorClass.MALFORMED, f"the answer is not valid {name}") from error
    if has_data and not inflater.eof:
        raise AttemptFailed(ErrorClass.STREAM_CUT, f"the {name} data of the answer ended early")
