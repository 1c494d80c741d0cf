"""Coverage-guided fuzzer of the conversion: `python bench/fuzz.py -max_total_time=600 CORPUS`. Requires atheris.

The fuzzer checks that the conversion of any bytes returns a comment that Re:infer accepts, or a reason for the rejection. It
also checks that a second conversion of the same bytes returns the same result. The arguments are arguments of libFuzzer.
CORPUS is a folder of emails with which the fuzzer starts.
"""

from __future__ import annotations

import re
import sys
from datetime import UTC, datetime
from pathlib import Path

import atheris

sys.path.insert(0, str(Path(__file__).parent.parent))
with atheris.instrument_imports(include=["conversion", "email", "integrations"]):
    from conversion.transform import Converted, EmailLocation, convert
    from integrations.dead_letter_reasons import DeadLetterKind
    from integrations.messages import Change, ChangeKind, Email, FolderId, ItemDetails, ItemId

CHANGE = Change(ChangeKind.CREATED, FolderId("f"), ItemId("i"))
DETAILS = ItemDetails(received=datetime(2026, 3, 2, tzinfo=UTC))
PLACE = EmailLocation("desk@bank.example", ("Inbox",))
FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
MOST = 65_536
"""Maximum number of characters in a text that Re:infer accepts."""


def check(mime: bytes) -> None:
    """Convert an email twice, and check the result."""
    email = Email(CHANGE, mime, DETAILS)
    outcome = convert(email, PLACE)
    assert convert(email, PLACE) == outcome, "a second conversion of the same bytes had another result"
    if not isinstance(outcome, Converted):
        assert outcome.kind in DeadLetterKind, "a rejection without a reason"
        return
    message = outcome.comment.message
    texts = [message.subject, message.body, message.signature, message.sender, *message.to, *message.cc, *message.bcc]
    texts += [part.name for part in outcome.comment.attachments]
    texts += [str(value) for value in outcome.comment.properties.values()]
    assert not any(FORBIDDEN.search(text) for text in texts), "a character that JSON or PostgreSQL rejects"
    assert all(len(text) <= MOST for text in texts), "a text that is too long"
    assert re.fullmatch(r"[0-9a-f]{1,1024}", outcome.comment.id), "an id that Re:infer rejects"


if __name__ == "__main__":
    atheris.Setup(sys.argv, check)
    atheris.Fuzz()
