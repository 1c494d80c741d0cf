"""What Entra means by a refusal: its numbers, as the errors that the product speaks.

Only the number and the name of the error are kept: the texts around them quote users, applications and addresses.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from integrations import errors
from integrations.errors import IntegrationError

BY_NUMBER: dict[int, type[IntegrationError]] = {
    7000215: errors.ClientSecretWrong,
    7000222: errors.ClientSecretExpired,
    700016: errors.ApplicationUnknown,
    90002: errors.TenantUnknown,
    90023: errors.TenantUnknown,
    900023: errors.TenantUnknown,
    700027: errors.ClientCertificateRefused,
    700024: errors.ClientCertificateRefused,
    700021: errors.ClientCertificateRefused,
    50012: errors.ClientCertificateRefused,
    50027: errors.ClientCertificateRefused,
    1000502: errors.ClientCertificateRefused,
    50053: errors.AccountLocked,
    50055: errors.AccountLocked,
    50057: errors.AccountLocked,
    50144: errors.AccountLocked,
    50072: errors.SecondFactorNeeded,
    50074: errors.SecondFactorNeeded,
    50076: errors.SecondFactorNeeded,
    50079: errors.SecondFactorNeeded,
    53003: errors.SecondFactorNeeded,
    53000: errors.SecondFactorNeeded,
    65001: errors.ConsentMissing,
    650057: errors.ConsentMissing,
    90033: errors.TokenEndpointFailed,
    90013: errors.TokenEndpointFailed,
    50196: errors.TokenEndpointFailed,
    50000: errors.TokenEndpointFailed,
}
TRANSIENT = {"temporarily_unavailable", "server_error", "slow_down"}


def refusal(answer: Mapping[str, Any]) -> IntegrationError:
    """The error that an answer of the token endpoint without a token stands for."""
    description = _text(answer.get("error_description"))
    name = re.sub(r"[^a-z_]", "", _text(answer.get("error")))[:40]
    found = re.search(r"AADSTS(\d{4,8})", description)
    kind = BY_NUMBER.get(int(found[1]), errors.SignInRefused) if found else errors.SignInRefused
    if kind is errors.SignInRefused and (name in TRANSIENT or not name):
        kind = errors.TokenEndpointFailed
    # Entra's own number tells an admin more than any of our words.
    return kind(", ".join(filter(None, [name, found.group() if found else ""])) or "it answered without a token")


def _text(told: Any) -> str:
    return told if isinstance(told, str) else ""
