"""Read a mailbox through Graph as in the README of O365, but with another host and authority than the public cloud."""

import base64
import json
import sys

from msal import ConfidentialClientApplication
from O365 import Account, MSGraphProtocol
from O365.utils.token import MemoryTokenBackend
from requests import HTTPError


def main() -> None:
    given = json.load(sys.stdin)
    try:
        result = read(given)
    except HTTPError as error:
        result = {"error": error.response.json()["error"]["code"]}
    sys.stdout.write(json.dumps(result))


def read(given: dict) -> dict:
    class Cloud(MSGraphProtocol):
        """A protocol with another host, as the README recommends."""

        _protocol_url = f"{given['url']}/"
        _oauth_scope_prefix = f"{given['url']}/"

    account = Account(
        (given["client_id"], given["secret"]),
        protocol=Cloud(),
        auth_flow_type="credentials",
        tenant_id=given["tenant"],
        main_resource=given["address"],
        token_backend=MemoryTokenBackend(),
        requests_delay=0,
        request_retries=0,
    )
    # O365 has a fixed authority, the worldwide cloud. Therefore replace its MSAL client, which accepts any authority.
    account.con._msal_client = ConfidentialClientApplication(
        given["client_id"],
        client_credential=given["secret"],
        authority=f"{given['authority']}/{given['tenant']}",
        token_cache=account.con.token_backend,
        instance_discovery=False,
    )
    if not account.authenticate():
        return {"error": "not signed in"}
    mailbox = account.mailbox()
    folders = dict(below(mailbox, ""))
    return {
        "folders": {path: folder.total_items_count for path, folder in folders.items()},
        "emails": [email_fields(path, message) for path, folder in folders.items() for message in messages(folder)],
        "inbox": mailbox.inbox_folder().get_folder(folder_name="Trades").name,
        "by_name": mailbox.get_folder(folder_name="grüße").folder_id == folders["Grüße"].folder_id,
        "user": account.directory().get_user(given["address"]).user_principal_name,
    }


def below(folder, path: str):
    for child in folder.get_folders(limit=100):
        name = f"{path}{child.name}"
        yield name, child
        if child.child_folders_count:
            yield from below(child, f"{name}/")


def messages(folder):
    return folder.get_messages(limit=None, batch=7, download_attachments=True)


def email_fields(path: str, message) -> dict:
    return {
        "folder": path,
        "subject": message.subject,
        "message_id": message.internet_message_id or "",
        "read": message.is_read,
        "mime": base64.b64encode(message.get_mime_content()).decode(),
        "attachments": {one.name: one.content for one in message.attachments if one.attachment_type == "file"},
    }


main()
