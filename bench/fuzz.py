"""A fuzzer over the whole conversion, guided by coverage: `python bench/fuzz.py -max_total_time=600 CORPUS`, with atheris.

Whatever bytes come in, out comes a comment that Re:infer takes, or a reason; the same one each time. Arguments are
libFuzzer's; files of CORPUS (real emails) are where it begins.
"""

from __future__ import annotations

import re
import sys
from datetime import UTC, datetime
from pathlib import Path

import atheris

sys.path.insert(0, str(Path(__file__).parent.parent))
with atheris.instrument_imports(include=["sync", "email", "integrations"]):
    from conversion.transform import Converted, EmailLocation, convert
    from integrations.dead_letter_reasons import DeadLetterKind
    from integrations.messages import Change, ChangeKind, Email, FolderId, ItemDetails, ItemId

CHANGE = Change(ChangeKind.CREATED, FolderId("f"), ItemId("i"))
DETAILS = ItemDetails(received=datetime(2026, 3, 2, tzinfo=UTC))
PLACE = EmailLocation("desk@bank.example", ("Inbox",))
FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
MOST = 65_536


def one(mime: bytes) -> None:
    email = Email(CHANGE, mime, DETAILS)
    outcome = convert(email, PLACE)
    assert convert(email, PLACE) == outcome, "the same bytes gave another outcome"
    if not isinstance(outcome, Converted):
        assert outcome.kind in DeadLetterKind, "a rejection without a reason"
        return
    message = outcome.comment.message
    texts = [message.subject, message.body, message.signature, message.sender, *message.to, *message.cc, *message.bcc]
    texts += [part.name for part in outcome.comment.attachments]
    texts += [str(value) for value in outcome.comment.properties.values()]
    assert not any(FORBIDDEN.search(text) for text in texts), "a character that JSON or PostgreSQL refuses"
    assert all(len(text) <= MOST for text in texts), "a text that is too long"
    assert re.fullmatch(r"[0-9a-f]{1,1024}", outcome.comment.id), "an id that Re:infer refuses"


if __name__ == "__main__":
    atheris.Setup(sys.argv, one)
    atheris.Fuzz()
