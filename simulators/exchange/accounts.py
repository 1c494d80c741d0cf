"""Accounts of the simulated Exchange, with the mailboxes that each account may read. No account may write."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Account:
    r"""A service account `DOMAIN\user` for NTLM and Basic.

    `impersonates` and `delegate_of` contain addresses of mailboxes. `impersonates` None means all mailboxes.
    """

    username: str
    password: str = field(repr=False)
    impersonates: frozenset[str] | None = None
    delegate_of: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Application:
    """An app registration that signs in with its secret. `mailboxes` None: the app may impersonate all mailboxes."""

    tenant: str
    client_id: str
    client_secret: str = field(repr=False)
    mailboxes: frozenset[str] | None = None


@dataclass(frozen=True)
class Principal:
    """The authenticated account of a request. `impersonated` None means all mailboxes."""

    name: str
    application: bool
    impersonated: frozenset[str] | None
    delegated: frozenset[str] = frozenset()

    def impersonates(self, address: str) -> bool:
        return self.impersonated is None or address.casefold() in {name.casefold() for name in self.impersonated}

    def reads(self, address: str) -> bool:
        return address.casefold() in {name.casefold() for name in self.delegated}


def principal_of(account: Account | Application) -> Principal:
    if isinstance(account, Account):
        return Principal(account.username, False, account.impersonates, account.delegate_of)
    return Principal(account.client_id, True, account.mailboxes)
