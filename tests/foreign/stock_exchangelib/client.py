"""Reads a mailbox with exchangelib as its own documentation shows it."""

import base64
import json
import sys

from exchangelib import DELEGATE, Account, Configuration, Credentials, FileAttachment, Message
from exchangelib.errors import EWSError


def main() -> None:
    given = json.load(sys.stdin)
    try:
        told = read(given)
    except EWSError as error:
        told = {"error": type(error).__name__}
    sys.stdout.write(json.dumps(told))


def read(given: dict) -> dict:
    credentials = Credentials(given["username"], given["password"])
    config = Configuration(service_endpoint=given["url"], credentials=credentials)
    account = Account(given["address"], config=config, autodiscover=False, access_type=DELEGATE)
    top = account.root / "Top of Information Store"
    folders = {path(top, folder): folder for folder in top.walk() if folder.folder_class == "IPF.Note"}
    emails = [
        told(name, item) for name, folder in folders.items() for item in folder.all() if isinstance(item, Message)
    ]
    found = account.inbox.filter(subject__contains="Trade").order_by("-datetime_received")[:3]
    return {
        "folders": {name: folder.total_count for name, folder in folders.items()},
        "emails": emails,
        "newest_trades": [item.subject for item in found],
        "inbox": account.inbox.name,
    }


def path(top: object, folder: object) -> str:
    return folder.absolute.removeprefix(f"{top.absolute}/")


def told(folder: str, item: Message) -> dict:
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
