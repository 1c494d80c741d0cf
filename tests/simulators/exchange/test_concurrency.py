"""Mail that arrives during a request: the response shows a consistent state of the mailbox."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from simulators.exchange import mail_of
from simulators.exchange.store import Item, Mailbox
from tests.mails import mail
from tests.simulators.exchange.conftest import EwsClient, get_folder, sync_items

SHAPE = "<m:FolderShape><t:BaseShape>Default</t:BaseShape></m:FolderShape>"
ROOT = '<t:DistinguishedFolderId Id="msgfolderroot"/>'
FIND = f'<m:FindFolder Traversal="Deep">{SHAPE}<m:ParentFolderIds>{ROOT}</m:ParentFolderIds></m:FindFolder>'
TREE = f"<m:SyncFolderHierarchy>{SHAPE}<m:SyncFolderId>{ROOT}</m:SyncFolderId></m:SyncFolderHierarchy>"


class Interrupted(dict[str, Item]):
    """The items of an inbox. When the first item is read, a new mail arrives on another thread."""

    def __init__(self, box: Mailbox) -> None:
        super().__init__(box.distinguished("inbox").items)
        self.arriving = threading.Thread(target=lambda: box.deliver(mail_of(mail("late"))), daemon=True)

    def values(self) -> Iterator[Item]:  # type: ignore[override]
        for item in super().values():
            if self.arriving.ident is None:
                self.arriving.start()
                self.arriving.join(0.3)  # the delivery waits until the request releases its lock
            yield item


@pytest.mark.parametrize("operation", ["GetFolder", "FindFolder", "SyncFolderHierarchy", "SyncFolderItems"])
def test_mail_that_arrives_during_a_request_is_delivered_after_the_request(
    ews_client: EwsClient, operation: str
) -> None:
    inbox = ews_client.mailbox.distinguished("inbox")
    for name in ("a", "b"):
        ews_client.mailbox.deliver(mail_of(mail(name)))
    bodies = {
        "GetFolder": get_folder(),
        "FindFolder": FIND,
        "SyncFolderHierarchy": TREE,
        "SyncFolderItems": sync_items(inbox.id),
    }
    items = Interrupted(ews_client.mailbox)
    inbox.items = items
    assert ews_client.codes(bodies[operation]) == ["NoError"]
    items.arriving.join(10)
    assert len(inbox.items) == 3
