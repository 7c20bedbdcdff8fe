"""How many tokens a picture is: its size from its first bytes, and what its maker's rule makes of that."""

from deepsel.tokens.pictures.rules import TokenBounds, count_picture
from deepsel.tokens.pictures.size import Picture, picture_of

__all__ = ["Picture", "TokenBounds", "count_picture", "picture_of"]
