"""Read a mailbox as in the documentation of exchangelib."""

import base64
import json
import sys
from collections.abc import Callable, Iterable

from exchangelib import DELEGATE, Account, Configuration, Credentials, FileAttachment, Folder, Message
from exchangelib.errors import EWSError


def main() -> None:
    given = json.load(sys.stdin)
    try:
        result = read(given)
    except EWSError as error:
        result = {"error": type(error).__name__}
    sys.stdout.write(json.dumps(result))


def read(given: dict) -> dict:
    credentials = Credentials(given["username"], given["password"])
    config = Configuration(service_endpoint=given["url"], credentials=credentials)
    account = Account(given["address"], config=config, autodiscover=False, access_type=DELEGATE)
    folders = {path(folder): folder for folder in account.root.walk() if folder.folder_class == "IPF.Note"}
    newest = account.inbox.filter(subject__icontains="trade").order_by("-datetime_received")
    return {
        "folders": {name: folder.total_count for name, folder in folders.items()},
        "emails": [email_fields(name, item) for name, folder in folders.items() for item in emails(folder.all())],
        "trades": [item.subject for item in emails(newest)],
        "unread": account.inbox.filter(is_read=False).count(),
        "zones": sorted(zone.id for zone in account.protocol.get_timezones(return_full_timezone_data=True)),
        "resolved": [mailbox.email_address for mailbox in account.protocol.resolve_names(["desk"])],
        "refused": refusals(account),
    }


def emails(found: Iterable) -> list[Message]:
    """Return the emails of a query. exchangelib returns an exception in place of an item that it cannot read."""
    items = list(found)
    for item in items:
        if isinstance(item, Exception):
            raise item
    return [item for item in items if isinstance(item, Message)]


def refusals(account: Account) -> dict[str, str]:
    """Try each operation that writes, and return the name of its error, by operation."""
    item = account.inbox.all().order_by("subject")[0]
    item.subject = "Changed"
    operations = {
        "save": lambda: item.save(update_fields=["subject"]),
        "delete": item.delete,
        "create": lambda: Message(account=account, folder=account.drafts, subject="New").save(),
        "move": lambda: item.move(account.trash),
    }
    return {name: refusal(operation) for name, operation in operations.items()}


def refusal(operation: Callable) -> str:
    try:
        operation()
    except EWSError as error:
        return type(error).__name__
    return ""


def path(folder: Folder) -> str:
    return folder.absolute.partition("Top of Information Store/")[2]


def email_fields(folder: str, item: Message) -> dict:
    return {
        "folder": folder,
        "subject": item.subject or "",
        "message_id": item.message_id or "",
        "read": item.is_read,
        "mime": base64.b64encode(item.mime_content).decode(),
        "attachments": {
            attachment.name: base64.b64encode(attachment.content).decode()
            for attachment in item.attachments
            if isinstance(attachment, FileAttachment)
        },
    }


main()
