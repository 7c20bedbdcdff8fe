"""How many tokens a picture is: its size from its first bytes, and what its maker's rule makes of that."""

from deepsel.tokens.pictures.rules import Bounds, count_picture
from deepsel.tokens.pictures.size import Picture, picture_of

__all__ = ["Bounds", "Picture", "count_picture", "picture_of"]
