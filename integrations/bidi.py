"""Bidirectional control characters (UAX #9): a quoted text must not change the direction of the words after it."""

from __future__ import annotations

ISOLATES = "\u2066\u2067\u2068"
EMBEDDINGS = "\u202a\u202b\u202d\u202e"
END_OF_ISOLATE, END_OF_EMBEDDING = "\u2069", "\u202c"


def closed(text: str) -> str:
    """Return a text with all of its isolates and embeddings ended, so that other text can follow it.

    Args:
        text: Any text. Most texts are returned unchanged.

    Returns:
        The text, with an end character for each direction change that it leaves open.
    """
    ends: list[str] = []
    for char in text:
        if char in ISOLATES:
            ends.append(END_OF_ISOLATE)
        elif char in EMBEDDINGS:
            ends.append(END_OF_EMBEDDING)
        elif char == END_OF_EMBEDDING and ends and ends[-1] == char:
            ends.pop()
        elif char == END_OF_ISOLATE and char in ends:
            # The end of an isolate also ends every embedding inside of the isolate.
            while ends.pop() != char:
                pass
    return text + "".join(reversed(ends))
