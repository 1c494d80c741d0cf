"""A Re:infer to push to: strict about every comment, honest about the bill, and able to fail on command.

    with ReinferSimulator(tokens=[Token("secret")], sources=[("bank", "desk")]) as reinfer:
        reinfer.url                                         # the base address, with the path prefix
        reinfer.faults.add("busy", operation="sync", times=2, retry_after=1)
        reinfer.faults.refuse(comment_id)                   # every batch that holds it fails
        source = reinfer.sources["bank", "desk"]            # .comments, .ai_units, .text_changes, .messages_changed
        source.comments[comment_id].history                 # every accepted write of that comment

`effects` lists what can go wrong, `control` the same for another process, `contract` and `contracts` what is refused.

What the vendor does not publish is taken in the way that asks most of a client:

- An attachment whose `content_hash` was not uploaded for its place refuses the request. A comment that is sent again without
  the hash has no content any more.
- A PUT of a comment that exists needs its `context`, unless it is the same. A source, bucket or dataset that exists is 409.
- Emails of a bucket cost nothing. Their comments do, and are made at once, in each source that is linked to the bucket, or
  when one is linked. Putting an email again replaces all of it.
- The id of a comment that is parsed is the hex of the Message-ID with its angle brackets.
- A page of `emails/query` is cut before it is filtered. Counts of a bucket are exact up to 10,000.
- Keys of sync states are hexadecimal. Writing one needs `buckets-write`. A state of a folder has both keys of the folder.
- Statistics are filtered by time (both ends inclusive), source and annotation; any other filter is refused.
- The properties of a raw email are text; `override_user_properties` has no effect, since they are all kept.
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
