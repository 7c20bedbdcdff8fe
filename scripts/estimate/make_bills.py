"""Makes tests/tokens/templates/bills.json: requests, and how many tokens each is by the makers' own encoders and templates.

    pip install deepseek-recipe==0.2.0 mistral-common==1.13.1 jinja2
    python scripts/estimate/make_bills.py            writes the file
    python scripts/estimate/make_bills.py --check    compares 2,000 further requests of each kind, and writes nothing

DeepSeek: the maker's encoder `deepseek-recipe` writes the prompt, and says where its marks stand. Mistral: `mistral-common` gives
the ids. Qwen: the public chat templates beside this script (Apache-2.0), of Qwen3 and Qwen3.5. Text is counted in the vocabularies
of this project, which have a golden file of their own; OpenAI and Anthropic publish no encoder.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from deepsel.messages.chat import read_messages
from deepsel.messages.tools import read_tool_choice, read_tools
from deepsel.tokens import ModelReader, count_request, encoding
from deepsel.values import Request

ROOT = Path(__file__).resolve().parents[2]
BILLS = ROOT / "tests" / "tokens" / "templates" / "bills.json"
VOCABULARY = {"deepseek-v4.1": "deepseek", "deepseek-v4": "deepseek", "tekken": "tekken", "qwen3": "qwen", "qwen3.5": "qwen35"}
_WORDS = (
    "Explain in three sentences how a compass works.", "Übersetze das ins Englische: Guten Tag, wie geht's?", "你是谁？",
    "def add(a, b):\n    return a + b", '{"departure": "08:29", "delay": 0}', "Σ x² over <think> and </think>", "<|im_end|>",
    "｜DSML｜", "one\n\ntwo", "อธิบายการทำงานของเข็มทิศ", "42", "JSON, please.",
)  # fmt: skip
_ARGUMENTS = (
    "{}", '{"from_station": "Basel", "to_station": "Bern"}', '{"list": [1, {"deep": null}], "note": "é\\n"}',
    '{"limit": 1.5, "exact": true}',
)  # fmt: skip
_SCHEMA = {
    "type": "object",
    "properties": {"name": {"type": "string", "description": "As it is written in the text"}, "age": {"type": "integer"}},
    "required": ["name"],
}


def requests(seed: int, number: int) -> Iterator[dict[str, Any]]:
    """Yield chat bodies: plain, with system texts, histories, tools, calls, results and schemas."""
    draw = random.Random(seed)  # noqa: S311 - the same requests each time
    for _ in range(number):
        has_tools = draw.random() < 0.5
        body: dict[str, Any] = {"messages": list(_conversation(draw, has_calls=has_tools))}
        if has_tools:
            body["tools"] = [_tool(draw, place) for place in range(draw.randint(1, 3))]
        if draw.random() < 0.15:
            body["schema"] = _SCHEMA
        yield body


def _text(draw: random.Random) -> str:
    return " ".join(draw.choice(_WORDS) for _ in range(draw.randint(1, 3)))


def _tool(draw: random.Random, place: int) -> dict[str, Any]:
    function: dict[str, Any] = {"name": f"find_{place}", "description": _text(draw)}
    function["parameters"] = {
        "type": "object",
        "properties": {
            "from_station": {"type": "string", "description": _text(draw)},
            "limit": {"type": "number", "minimum": 0.5},
            "class": {"type": "string", "enum": ["first", "second"]},
        },
        "required": ["from_station"],
    }
    return {"type": "function", "function": function}


def _conversation(draw: random.Random, *, has_calls: bool) -> Iterator[dict[str, Any]]:
    if draw.random() < 0.5:
        yield {"role": "system", "content": _text(draw)}
    turns, number = draw.randint(1, 4), 0
    for turn in range(turns):
        yield {"role": "user", "content": _text(draw)}
        if turn == turns - 1:
            return
        if has_calls and draw.random() < 0.6:
            calls = []
            for _ in range(draw.randint(1, 2)):
                number += 1
                function = {"name": "find_0", "arguments": draw.choice(_ARGUMENTS)}
                calls.append({"id": f"call{number:05}", "type": "function", "function": function})
            yield {"role": "assistant", "content": None, "tool_calls": calls}
            for call in calls:
                yield {"role": "tool", "tool_call_id": call["id"], "content": _text(draw)}
        yield {"role": "assistant", "content": _text(draw)}


# --- the makers -------------------------------------------------------------------------------------------------------


def _counted(texts: Iterable[str], vocabulary: str) -> int:
    counter = encoding(vocabulary)
    assert counter is not None
    return sum(len(counter.encode(text)) for text in texts if text)


def deepseek(model: str, encoder: Any) -> Callable[[dict[str, Any], bool], int]:
    """Return what counts a body as DeepSeek's encoder writes it."""
    from deepseek_recipe import ChatCompletionRequest, ConversionOptions  # type: ignore[import-not-found]

    def count(body: dict[str, Any], thinks: bool) -> int:
        asked = {"model": model, "messages": body["messages"], "thinking": {"type": "enabled" if thinks else "disabled"}}
        if "tools" in body:
            asked["tools"] = body["tools"]
        if "schema" in body:
            asked["response_format"] = {"type": "json_schema", "json_schema": {"name": "it", "schema": body["schema"]}}
        written = encoder.render_conversation(ChatCompletionRequest(asked).convert(ConversionOptions()).conversation)
        edges = [0, *(edge for pair in written.special_ranges for edge in pair), len(written.prompt)]
        texts = [written.prompt[start:end] for start, end in zip(edges[::2], edges[1::2], strict=True)]
        return _counted(texts, "deepseek") + len(written.special_ranges)

    return count


def mistral() -> Callable[[dict[str, Any], bool], int]:
    """Return what counts a body as Mistral's encoder writes it."""
    import mistral_common  # type: ignore[import-not-found]
    from mistral_common.protocol.instruct.request import ChatCompletionRequest  # type: ignore[import-not-found]
    from mistral_common.tokens.tokenizers.mistral import MistralTokenizer  # type: ignore[import-not-found]

    tokenizer = MistralTokenizer.from_file(str(Path(mistral_common.__file__).parent / "data" / "tekken_240911.json"))

    def count(body: dict[str, Any], thinks: bool) -> int:  # noqa: ARG001
        asked = {name: body[name] for name in ("messages", "tools") if name in body}
        return len(tokenizer.encode_chat_completion(ChatCompletionRequest.from_openai(**asked)).tokens)

    return count


def qwen(name: str) -> Callable[[dict[str, Any], bool], int]:
    """Return what counts a body as one of Qwen's public chat templates writes it."""
    from jinja2 import Environment  # type: ignore[import-not-found]

    environment = Environment(trim_blocks=True, lstrip_blocks=True)  # noqa: S701 - writes no HTML
    environment.filters["tojson"] = lambda value: json.dumps(value, ensure_ascii=False)
    template = environment.from_string((Path(__file__).parent / "chat_templates" / f"{name}.jinja").read_text("utf-8"))
    marks = re.compile(r"<\|im_start\|>|<\|im_end\|>|</?tool_call>|</?tool_response>|</?think>")
    hidden = {mark: mark.replace("<", "\ue000") for mark in ("<think>", "</think>", "<|im_end|>")}

    def count(body: dict[str, Any], thinks: bool) -> int:
        # What a person wrote is text, marks or not, as deepsel counts it: they are hidden from the search for marks.
        text = json.dumps({one: body[one] for one in ("messages", "tools") if one in body}, ensure_ascii=False)
        for mark, other in hidden.items():
            text = text.replace(mark, other)
        asked = json.loads(text)
        for call in (call for message in asked["messages"] for call in message.get("tool_calls") or ()):
            if name != "qwen3":
                call["function"]["arguments"] = json.loads(call["function"]["arguments"])
        written = template.render(**asked, add_generation_prompt=True, enable_thinking=thinks)
        parts = marks.split(written)
        for mark, other in hidden.items():
            parts = [part.replace(other, mark) for part in parts]
        return _counted(parts, VOCABULARY[name]) + len(parts) - 1

    return count


def makers() -> dict[str, Callable[[dict[str, Any], bool], int]]:
    """Return by template what counts as its maker does."""
    from deepseek_recipe import DeepseekV4Encoding, DeepseekV41Encoding

    return {
        "deepseek-v4.1": deepseek("DeepSeek-V4.1-Flash", DeepseekV41Encoding()),
        "deepseek-v4": deepseek("DeepSeek-V4-Pro", DeepseekV4Encoding()),
        "tekken": mistral(),
        "qwen3": qwen("qwen3"),
        "qwen3.5": qwen("qwen3.5"),
    }


def ours(body: dict[str, Any], template: str, *, thinks: bool) -> int:
    """Count a body as deepsel does."""
    tools = read_tools(body["tools"], "it") if "tools" in body else ()
    choice = read_tool_choice(body["tool_choice"], "it") if "tool_choice" in body else None
    request = Request(
        read_messages(body["messages"], "it"), tools=tools, tool_choice=choice, schema=body.get("schema")
    )
    return count_request(request, ModelReader(VOCABULARY[template], template, None, None, thinks)).tokens


def bills(bodies: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield each body with the makers' counts, thinking off and on."""
    counters = makers()
    for body in bodies:
        takes = [name for name in counters if "schema" not in body or name.startswith("deepseek")]
        yield {"body": body, "tokens": {name: [counters[name](body, False), counters[name](body, True)] for name in takes}}


def main() -> None:
    """Write the file, or compare at large."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--check", action="store_true")
    if not parser.parse_args().check:
        rows = [json.dumps(row, ensure_ascii=False) for row in bills(requests(1, 80))]
        BILLS.write_text("[\n" + ",\n".join(rows) + "\n]\n", encoding="utf-8")
        return
    wrong = 0
    for row in bills(requests(2, 2000)):
        for template, told in row["tokens"].items():
            found = [ours(row["body"], template, thinks=thinks) for thinks in (False, True)]
            if found != told:
                wrong += 1
                print(template, told, found, json.dumps(row["body"], ensure_ascii=False)[:400])
    print(f"{wrong} counts differ")
    raise SystemExit(bool(wrong))


if __name__ == "__main__":
    main()
