"""The kind of Exchange that a seed uses: its sign-in, and whether a mailbox is on an older server."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from simulators.exchange import ExchangeSimulator
from simulators.exchange.signin import SCHEMES_ON_PREMISES

SIGN_INS = (
    ("basic", SCHEMES_ON_PREMISES, False),
    ("basic", ("Negotiate", *SCHEMES_ON_PREMISES), True),
    ("ntlm", ("NTLM",), True),
    ("ntlm", ("Negotiate", "NTLM"), True),
    ("ntlm", ("Negotiate",), True),
)
"""Sign-in of the integration, schemes that the server offers, and whether the server requires channel binding."""
OLD_SERVERS = ("14.3.513.0", "15.0.1497.48")


@dataclass(frozen=True)
class ExchangeKind:
    auth: str
    offers: tuple[str, ...]
    extended_protection: bool
    old_server: str
    """Build of the server of the first mailbox; blank if that mailbox is on the same server as the others."""

    @classmethod
    def drawn(cls, number: int) -> ExchangeKind:
        """Choose a kind for a seed, with separate random numbers. So the random numbers of the seed do not change."""
        random = Random(f"exchange {number}")
        auth, offers, extended_protection = random.choice(SIGN_INS)
        return cls(auth, offers, extended_protection, random.choice(["", "", *OLD_SERVERS]))

    def apply(self, server: ExchangeSimulator) -> None:
        """Configure a server as this kind. The server must already have the store of the seed."""
        server.on_premises.offers = self.offers
        server.on_premises.extended_protection = self.extended_protection
        next(iter(server.store)).server = self.old_server
