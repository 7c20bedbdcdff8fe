"""Pure changes of planned responses, for the rows of `faults`: stop, drop, delay, interleave, splice, compress."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from deepsel.simulator.answers.reply import TOKEN_MARKS, Frame, Mark, Reply


def first(frames: Sequence[Frame]) -> int:
    """Find the first token or body; the number of frames where there is none."""
    shown = (at for at, frame in enumerate(frames) if frame.mark in TOKEN_MARKS or frame.mark is Mark.BODY)
    return next(shown, len(frames))


def middle(frames: Sequence[Frame]) -> int:
    """Find the token in the middle, or the body; the last frame where there is neither."""
    shown = [at for at, frame in enumerate(frames) if frame.mark in TOKEN_MARKS or frame.mark is Mark.BODY]
    return shown[len(shown) // 2] if shown else len(frames) - 1


def stopped(reply: Reply, point: str, act: Mark) -> Reply:
    """End a response with an act at a point of it; raises ValueError for a point that is not known."""
    frames = reply.frames
    match point:
        case "at_accept" | "before_headers":
            return replace(reply, broken_head=(0.0, act))
        case "in_headers":
            return replace(reply, broken_head=(0.5, act))
        case "before_first_token":
            kept = frames[: first(frames)]
        case "mid_event":
            at = middle(frames)
            kept = (*frames[:at], _head_of(frames[at], len(frames[at].data) // 2))
        case "before_end":
            kept = tuple(frame for frame in frames if frame.mark not in (Mark.FINISH, Mark.USAGE, Mark.END))
            if kept[-1].mark is Mark.BODY:
                kept = (*kept[:-1], _head_of(kept[-1], len(kept[-1].data) - 1))
        case _:
            raise ValueError(f"no such point: {point}")
    due_s = kept[-1].due_s if kept else reply.head_s
    return replace(reply, frames=(*kept, Frame(b"", act, due_s=due_s)), declared_bytes=_size(frames))


def _head_of(frame: Frame, size: int) -> Frame:
    """Keep the first bytes of a frame; what is no whole event is no token."""
    return replace(frame, data=frame.data[:size], tokens=0)


def _size(frames: Sequence[Frame]) -> int:
    """Add up the bytes of frames."""
    return sum(len(frame.data) for frame in frames)


def without(reply: Reply, marks: Sequence[Mark]) -> Reply:
    """Drop the frames of some kinds; a body is never dropped."""
    return replace(reply, frames=tuple(frame for frame in reply.frames if frame.mark not in marks))


def delayed(reply: Reply, data: bytes, *, count: int | None, interval_s: float) -> Reply:
    """Let `count` pieces of noise come before the first token, which waits for them; None: they never end."""
    at = first(reply.frames)
    start_s = reply.frames[at - 1].due_s if at else 0.0
    head = replace(reply, framing="chunked", head_s=min(reply.head_s, start_s))
    if count is None:
        noise = Frame(data, Mark.ENDLESS, due_s=start_s, interval_s=interval_s)
        return replace(head, frames=(*reply.frames[:at], noise))
    noises = tuple(Frame(data, Mark.NOISE, due_s=start_s + number * interval_s) for number in range(1, count + 1))
    late_s = max(0.0, noises[-1].due_s - reply.frames[at].due_s) if noises and at < len(reply.frames) else 0.0
    rest = tuple(replace(frame, due_s=frame.due_s + late_s) for frame in reply.frames[at:])
    return replace(head, frames=tuple(sorted((*reply.frames[:at], *noises, *rest), key=lambda frame: frame.due_s)))


def interleaved(reply: Reply, noise: Mapping[Mark, bytes]) -> Reply:
    """Put a piece of noise half way between any two tokens; which one, says the kind of the later token."""
    frames: list[Frame] = []
    last_s: float | None = None
    for frame in reply.frames:
        if frame.mark in TOKEN_MARKS:
            if last_s is not None:
                frames.append(Frame(noise[frame.mark], Mark.NOISE, due_s=(last_s + frame.due_s) / 2))
            last_s = frame.due_s
        frames.append(frame)
    return replace(reply, frames=tuple(frames))


def spliced(reply: Reply, marker: bytes, instead: bytes) -> Reply:
    """Put raw bytes where the marker stands."""
    frames = tuple(replace(frame, data=frame.data.replace(marker, instead)) for frame in reply.frames)
    return replace(reply, frames=frames)


def malformed(reply: Reply) -> Reply:
    """Replace the token in the middle, or the body, by half a JSON document."""
    at = middle(reply.frames)
    frame = reply.frames[at]
    half = frame.data[: len(frame.data) // 2]
    end = b"" if frame.mark is Mark.BODY else b"\n\n"
    broken = replace(frame, data=half + end, tokens=0)
    return replace(reply, frames=(*reply.frames[:at], broken, *reply.frames[at + 1 :]))


def compressed(reply: Reply) -> Reply:
    """Compress with gzip, each frame flushed so that streaming stays streaming."""
    import zlib

    packer = zlib.compressobj(wbits=31)
    last = len(reply.frames) - 1
    frames = tuple(
        replace(
            frame, data=packer.compress(frame.data) + packer.flush(zlib.Z_FINISH if at == last else zlib.Z_SYNC_FLUSH)
        )
        for at, frame in enumerate(reply.frames)
    )
    return replace(reply, frames=frames, headers={**reply.headers, "content-encoding": "gzip"})


def with_byte_order_mark(reply: Reply) -> Reply:
    """Let a byte-order mark lead the body."""
    lead = reply.frames[0]
    return replace(reply, frames=(replace(lead, data=b"\xef\xbb\xbf" + lead.data), *reply.frames[1:]))


def with_crlf(reply: Reply) -> Reply:
    """End every line in CRLF."""
    return spliced(reply, b"\n", b"\r\n")


def in_single_bytes(reply: Reply) -> Reply:
    """Write every byte alone; a frame's tokens are written with its last."""
    frames: list[Frame] = []
    for frame in reply.frames:
        ends = len(frame.data) - 1
        frames += [
            replace(frame, data=frame.data[at : at + 1], tokens=frame.tokens if at == ends else 0)
            for at in range(len(frame.data))
        ]
    return replace(reply, frames=tuple(frames))
