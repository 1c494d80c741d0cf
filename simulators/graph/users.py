"""Users of the directory, one for each mailbox. A request names a user by address or id."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from typing import Any

from simulators.exchange.store import Mailbox, Store
from simulators.graph.accounts import Principal
from simulators.graph.errors import Refused

BY_DEFAULT = (
    "businessPhones", "displayName", "givenName", "jobTitle", "mail", "mobilePhone", "officeLocation", "preferredLanguage",
    "surname", "userPrincipalName", "id",
)  # fmt: skip
PROPERTIES = (*BY_DEFAULT, "accountEnabled", "mailNickname", "userType")
"""The properties after `BY_DEFAULT` are returned only if they are selected."""
READ_ALL = {
    "User.Read.All",
    "User.ReadBasic.All",
    "User.ReadWrite.All",
    "Directory.Read.All",
    "Directory.ReadWrite.All",
}
SPACE = uuid.UUID("7b0bd2a1-0c2e-4c3d-9d0f-6a5d3f1c8e77")


def user_id(address: str) -> str:
    return str(uuid.uuid5(SPACE, address.casefold()))


def find_user(store: Store, name: str) -> Mailbox | None:
    """Find the mailbox of a user by address or id."""
    return store.get(name) or next((mailbox for mailbox in store if user_id(mailbox.address) == name.casefold()), None)


def check_permitted(principal: Principal, *, own: bool) -> None:
    """Raises `Refused` if the token may not read this profile. `own`: it is the profile of the signed-in user."""
    if not principal.permissions & READ_ALL and not (own and "User.Read" in principal.permissions):
        raise Refused("Authorization_RequestDenied")


def user_json(mailbox: Mailbox, select: Collection[str]) -> dict[str, Any]:
    nickname = mailbox.address.partition("@")[0]
    values: dict[str, Any] = dict.fromkeys(PROPERTIES)
    values |= {
        "businessPhones": [],
        "displayName": nickname,
        "mail": mailbox.address,
        "userPrincipalName": mailbox.address,
        "id": user_id(mailbox.address),
        "accountEnabled": True,
        "mailNickname": nickname,
        "userType": "Member",
    }
    return {name: values[name] for name in PROPERTIES if name in (select or BY_DEFAULT)}


def unknown_user(name: str) -> Refused:
    text = f"Resource '{name}' does not exist or one of its queried reference-property objects are not present."
    return Refused("Request_ResourceNotFound", text)
