"""Invisible characters that turn the direction of a text: what somebody's text opens must not turn the words behind it."""

from __future__ import annotations

ISOLATES = "\u2066\u2067\u2068"
EMBEDDINGS = "\u202a\u202b\u202d\u202e"
END_OF_ISOLATE, END_OF_EMBEDDING = "\u2069", "\u202c"


def closed(text: str) -> str:
    """The text with an end for all that it leaves open, to stand in a sentence. Most texts stay as they are."""
    ends: list[str] = []
    for char in text:
        if char in ISOLATES:
            ends.append(END_OF_ISOLATE)
        elif char in EMBEDDINGS:
            ends.append(END_OF_EMBEDDING)
        elif char == END_OF_EMBEDDING and ends and ends[-1] == char:
            ends.pop()
        elif char == END_OF_ISOLATE and char in ends:
            # It also ends every embedding that was begun inside of the isolate.
            while ends.pop() != char:
                pass
    return text + "".join(reversed(ends))
