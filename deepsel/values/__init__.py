"""Frozen records everything speaks in; nothing here does anything but hold and add.

Money is Decimal USD, tokens are int, time is float seconds. None always means unknown; zero means zero.
"""

TYPE_CHECKING = False  # for type checkers alone; each name is imported when it is first used

__all__ = [
    "MAX_TOKENS",
    "STRATEGIES",
    "TASKS",
    "Answer",
    "Attempt",
    "Bill",
    "CacheUse",
    "Document",
    "Doubt",
    "ErrorRule",
    "Finish",
    "FinishReport",
    "Gateway",
    "Given",
    "HourWindow",
    "Identity",
    "Image",
    "Json",
    "JsonObject",
    "Lane",
    "Latency",
    "Message",
    "Model",
    "Notice",
    "Part",
    "Passed",
    "PictureRule",
    "PictureSize",
    "PriceRule",
    "Provider",
    "ReasoningDelta",
    "Request",
    "Role",
    "Source",
    "Text",
    "TextDelta",
    "Thinking",
    "Tool",
    "ToolCall",
    "ToolCallDelta",
    "ToolChoice",
    "ToolResult",
    "Usage",
    "UsageReport",
    "WireEvent",
]

if TYPE_CHECKING:
    from deepsel.values.answer import Answer, Attempt, CacheUse, Gateway
    from deepsel.values.notice import Notice
    from deepsel.values.parts import (
        Document,
        Image,
        Message,
        Part,
        Role,
        Text,
        Thinking,
        Tool,
        ToolCall,
        ToolChoice,
        ToolResult,
    )
    from deepsel.values.request import Given, Request
    from deepsel.values.rows import (
        ErrorRule,
        HourWindow,
        Lane,
        Latency,
        Model,
        PictureRule,
        PictureSize,
        PriceRule,
        Provider,
    )
    from deepsel.values.usage import MAX_TOKENS, Bill, Usage
    from deepsel.values.wire_events import (
        Doubt,
        FinishReport,
        Identity,
        Passed,
        ReasoningDelta,
        TextDelta,
        ToolCallDelta,
        UsageReport,
        WireEvent,
    )
    from deepsel.values.words import STRATEGIES, TASKS, Finish, Json, JsonObject, Source
else:
    from deepsel.on_use import names_of

    __getattr__ = names_of(
        __name__,
        {
            "answer": "Answer Attempt CacheUse Gateway",
            "notice": "Notice",
            "parts": "Document Image Message Part Role Text Thinking Tool ToolCall ToolChoice ToolResult",
            "request": "Given Request",
            "rows": "ErrorRule HourWindow Lane Latency Model PictureRule PictureSize PriceRule Provider",
            "usage": "MAX_TOKENS Bill Usage",
            "wire_events": "Doubt FinishReport Identity Passed ReasoningDelta TextDelta ToolCallDelta UsageReport WireEvent",
            "words": "STRATEGIES TASKS Finish Json JsonObject Source",
        },
    )
