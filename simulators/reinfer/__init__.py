"""A Re:infer to push to: strict about every comment, honest about the bill, and able to fail on command.

    with ReinferSimulator(tokens=[Token("secret")], sources=[("bank", "desk")]) as reinfer:
        reinfer.url                                         # the base address, with the path prefix
        reinfer.faults.add("busy", operation="sync", times=2, retry_after=1)
        reinfer.faults.refuse(comment_id)                   # every batch that holds it fails
        source = reinfer.sources["bank", "desk"]            # .comments, .ai_units, .text_changes, .messages_changed
        source.comments[comment_id].history                 # every accepted write of that comment

`effects` lists what can go wrong, `control` the same for another process, `contract` what is refused.
"""

from simulators.reinfer.comments import Outcome, StoredComment, Write
from simulators.reinfer.server import DEFAULT_PREFIX, DEFAULT_TOKEN, ReinferSimulator
from simulators.reinfer.store import Source, Store
from simulators.reinfer.tokens import ADD_COMMENTS, ADMIN, EVERYTHING, READ, Token

__all__ = [
    "ADD_COMMENTS",
    "ADMIN",
    "DEFAULT_PREFIX",
    "DEFAULT_TOKEN",
    "EVERYTHING",
    "READ",
    "Outcome",
    "ReinferSimulator",
    "Source",
    "Store",
    "StoredComment",
    "Token",
    "Write",
]
