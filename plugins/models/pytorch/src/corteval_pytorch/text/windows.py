"""What is read in one go where a passage is longer than a model's window."""

from __future__ import annotations

from collections.abc import Sequence


def left_truncated(
    pieces: Sequence[tuple[int, int]], window: int | None, stride: int, count: int
) -> list[int]:
    """First token that is read with each piece, so that the piece is read at the end of a window.

    A stretch of tokens is read as far as the window goes; the next stretch ends `stride` tokens
    later, or where the next piece ends if that is further. So a piece of a long passage has at
    least ``window - stride`` tokens, less its own length, and at most ``window`` tokens of context,
    and with ``stride=1`` always the most it can have. No piece shorter than the window begins its
    stretch, unless it begins the passage, so each of its tokens has something before it.

    Args:
        pieces: first and last token of each, both ascending.
        window: tokens of a stretch; None sets no limit.
        stride: fewest tokens by which a stretch advances.
        count: tokens of the passage.
    """
    start, starts = 0, []
    for first, last in pieces:
        if window is not None and last >= start + window:
            reach = min(start + window + stride, first + window - 1, count)
            start = max(last + 1, reach) - window
        starts.append(start)
    return starts


def surrounding(first: int, last: int, window: int | None, stride: int, count: int) -> int:
    """First token of the stretch that has a piece in its middle, as far as the passage goes.

    Args:
        first, last: tokens of the piece.
        window: tokens of a stretch.
        stride: stretches begin at multiples of it, unless they end with the passage.
        count: tokens of the passage.
    """
    if window is None or count <= window:
        return 0
    middle = (first + last + 1) // 2
    start = max(0, middle - window // 2) // stride * stride
    # a piece that its rounded stretch cuts off is read at the end of one
    start = max(start, last + 1 - window)
    return min(start, count - window)
