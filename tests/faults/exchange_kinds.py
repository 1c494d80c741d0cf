"""What kind of Exchange a seed meets: how people sign in to it, and whether a mailbox lies on an older server."""

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
"""The way of the integration, what the server offers, and whether it wants handshakes bound to their channel."""
OLD_SERVERS = ("14.3.513.0", "15.0.1497.48")


@dataclass(frozen=True)
class ExchangeKind:
    auth: str
    offers: tuple[str, ...]
    extended_protection: bool
    old_server: str
    """The build of the server of the first mailbox; blank where it lies where the others do."""

    @classmethod
    def drawn(cls, number: int) -> ExchangeKind:
        """Apart from what else is drawn from a seed, so that the others live as they would without it."""
        random = Random(f"exchange {number}")
        auth, offers, extended_protection = random.choice(SIGN_INS)
        return cls(auth, offers, extended_protection, random.choice(["", "", *OLD_SERVERS]))

    def apply(self, server: ExchangeSimulator) -> None:
        """Make the server one of this kind. Its store must be the seed's."""
        server.on_premises.offers = self.offers
        server.on_premises.extended_protection = self.extended_protection
        next(iter(server.store)).server = self.old_server
