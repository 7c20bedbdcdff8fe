"""What others have to know of the toy wire."""

from __future__ import annotations

import os

from deepsel.wires.fields import first_count
from deepsel.wires.wire import CountRequest

FORMAT = int(os.environ.get("TOY_FORMAT", "7"))
END_MARKS = (b'"over"',)
LENGTH_FIELDS = frozenset({"most_words"})
count_request = CountRequest(
    url=lambda provider: f"{provider.base_url}/measure",
    encode=lambda request, model, provider: {"speaker": model.id, "texts": [message.text for message in request.messages]},
    read=lambda document: first_count(document.get("words")) or 0,
)
