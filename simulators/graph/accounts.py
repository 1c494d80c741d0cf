"""Accounts of the simulated Entra, with the mailboxes that each account may read. No account may write."""

from __future__ import annotations

from dataclasses import dataclass, field

from simulators.exchange.accounts import Application

BODIES = frozenset({"Mail.Read", "Mail.ReadWrite"})
METADATA = BODIES | {"Mail.ReadBasic", "Mail.ReadBasic.All"}


@dataclass(frozen=True)
class Registration(Application):
    """An app registration that signs in with its secret or a certificate.

    `mailboxes` is the scope of the app's role in RBAC for Applications; None is the whole tenant.
    """

    certificates: frozenset[str] = frozenset()
    """Certificates in PEM, without private keys."""
    expired_secrets: frozenset[str] = field(default=frozenset(), repr=False)
    permissions: frozenset[str] = frozenset({"Mail.Read"})


@dataclass(frozen=True)
class User:
    """A service user, who signs in with only a password. A user who needs a second factor is refused."""

    tenant: str
    username: str
    password: str = field(repr=False)
    delegate_of: frozenset[str] = frozenset()
    """Mailboxes that the user may read in addition to their own mailbox."""
    permissions: frozenset[str] = frozenset({"Mail.Read"})
    needs_second_factor: bool = False


@dataclass(frozen=True)
class Principal:
    """The authenticated account of a request. `mailboxes` None means all mailboxes."""

    name: str
    client_id: str
    application: bool
    permissions: frozenset[str]
    mailboxes: frozenset[str] | None

    def reads(self, address: str) -> bool:
        return self.mailboxes is None or address.casefold() in {name.casefold() for name in self.mailboxes}


def principal_of(account: Registration | User, client_id: str) -> Principal:
    if isinstance(account, Registration):
        return Principal(account.client_id, client_id, True, account.permissions, account.mailboxes)
    return Principal(account.username, client_id, False, account.permissions, account.delegate_of | {account.username})
