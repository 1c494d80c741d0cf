"""A simulated Re:infer: it validates every comment, counts AI units, and applies scripted faults.

    with ReinferSimulator(tokens=[Token("secret")], sources=[("bank", "desk")]) as reinfer:
        reinfer.url                                         # the base address, with the path prefix
        reinfer.faults.add("busy", operation="sync", times=2, retry_after=1)
        reinfer.faults.refuse(comment_id)                   # every `sync` with this comment fails
        source = reinfer.sources["bank", "desk"]            # .comments, .ai_units, .text_changes, .messages_changed
        source.comments[comment_id].history                 # every accepted write of that comment

`fault_script` selects the calls that fail, and `effects` contains the faults. The HTTP endpoint for other processes is in
`control`, the rules for request bodies are in `contract` and `contracts`.

Where the vendor publishes no rule, the simulator applies the rule that is hardest for a client:

- A request is refused if an attachment has a `content_hash` that was not uploaded for this comment and index. If a comment
  is sent again without the hash, the content of the attachment is gone.
- A PUT that changes an existing comment needs the `context` of the stored comment. Creating a source, bucket or dataset that
  exists is a 409.
- Emails in a bucket are free, but the comments of these emails are billed. When an email is put, a comment is created in each
  source that is linked to the bucket. When a source is linked to a bucket, comments of all emails in the bucket are created
  in the source. Putting an email again replaces the stored email completely.
- The id of a comment that Re:infer parses from an email is the hex of the Message-ID, angle brackets included.
- `emails/query` selects a page, and then filters this page. The count of emails in a bucket is exact up to 10,000 emails.
- Keys of sync states are hexadecimal. Writing a state needs `buckets-write`. The state of a folder has both `folder_id` and
  `folder_path`.
- Statistics are filtered by time (both ends inclusive), source and annotation; any other filter is refused.
- The properties of a raw email are strings. `override_user_properties` has no effect: all properties are stored.
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
