"""Mail arrives while clients ask: an answer shows one moment of the mailbox, and is not spoiled by the next."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from simulators.exchange import mail_of
from simulators.exchange.store import Item, Mailbox
from tests.mails import mail
from tests.simulators.exchange.conftest import Asker, get_folder, sync_items

SHAPE = "<m:FolderShape><t:BaseShape>Default</t:BaseShape></m:FolderShape>"
ROOT = '<t:DistinguishedFolderId Id="msgfolderroot"/>'
FIND = f'<m:FindFolder Traversal="Deep">{SHAPE}<m:ParentFolderIds>{ROOT}</m:ParentFolderIds></m:FindFolder>'
TREE = f"<m:SyncFolderHierarchy>{SHAPE}<m:SyncFolderId>{ROOT}</m:SyncFolderId></m:SyncFolderHierarchy>"


class Interrupted(dict[str, Item]):
    """The items of an inbox into which a mail arrives when somebody has looked at the first of them."""

    def __init__(self, box: Mailbox) -> None:
        super().__init__(box.distinguished("inbox").items)
        self.arriving = threading.Thread(target=lambda: box.deliver(mail_of(mail("late"))), daemon=True)

    def values(self) -> Iterator[Item]:  # type: ignore[override]
        for item in super().values():
            if self.arriving.ident is None:
                self.arriving.start()
                self.arriving.join(0.3)  # it has to wait for whoever looks; nobody may wait for it
            yield item


@pytest.mark.parametrize("operation", ["GetFolder", "FindFolder", "SyncFolderHierarchy", "SyncFolderItems"])
def test_mail_that_arrives_while_somebody_looks_waits_its_turn(asker: Asker, operation: str) -> None:
    inbox = asker.mailbox.distinguished("inbox")
    for name in ("a", "b"):
        asker.mailbox.deliver(mail_of(mail(name)))
    bodies = {
        "GetFolder": get_folder(),
        "FindFolder": FIND,
        "SyncFolderHierarchy": TREE,
        "SyncFolderItems": sync_items(inbox.id),
    }
    items = Interrupted(asker.mailbox)
    inbox.items = items
    assert asker.codes(bodies[operation]) == ["NoError"]
    items.arriving.join(10)
    assert len(inbox.items) == 3
