"""Who may sign in, and what each may read. Nobody may write."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Account:
    r"""A service account `DOMAIN\user` for NTLM and Basic. None as a set of mailboxes means all of them."""

    username: str
    password: str = field(repr=False)
    impersonates: frozenset[str] | None = None
    delegate_of: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Application:
    """An app registration of a tenant that signs in with its secret."""

    tenant: str
    client_id: str
    client_secret: str = field(repr=False)
    mailboxes: frozenset[str] | None = None


@dataclass(frozen=True)
class Principal:
    """Who a request turned out to be."""

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
