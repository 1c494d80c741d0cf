"""Convert the error codes of Entra to errors of `integrations.errors`.

Only the code and the name of the error are used, because the other texts can quote users, applications and addresses.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from integrations import errors
from integrations.errors import IntegrationError

_NUMBERS: dict[type[IntegrationError], tuple[int, ...]] = {
    errors.ClientSecretWrong: (7000215, 70002),
    errors.ClientSecretExpired: (7000222,),
    errors.ClientCertificateRefused: (
        *(700021, 700024, 700027, 700030, 900384, 1000502),
        *(50003, 50006, 50012, 50013, 50017, 50027, 50048),
    ),
    errors.ApplicationUnknown: (700016, 700011),
    errors.ApplicationDisabled: (7000112, 70001, 1000031),
    errors.ApplicationIsPublic: (700025,),
    errors.PublicClientOff: (7000218,),
    errors.ServicePrincipalMissing: (7000229, 90099),
    errors.ResourceUnknown: (500011, 500014, 50001, 650052, 650054, 70011, 28002),
    errors.TenantUnknown: (
        *(90002, 900023, 50059, 50128, 90019, 50049),
        *(90038, 90051, 900382, 900432),  # a tenant of another national cloud
        *(50194, 9001023, 90124, 90130, 9002332),  # "common" or a similar name instead of a tenant
    ),
    errors.TenantRestricted: (50002, 500021, 500022, 500212, 500213),
    errors.UserUnknown: (50034, 51004, 50014, 50020, 50197, 16000, 16003, 90072),
    errors.AccountLocked: (50053, 50055, 50057, 50135, 50144, 500571),
    errors.NotAssigned: (50105, 501051),
    errors.SecondFactorNeeded: (
        *(50072, 50074, 50076, 50078, 50079, 50125, 50158, 500121),
        *(53004, 53010),  # a second factor would have to be registered first
    ),
    errors.ConditionalAccessBlocked: (
        *(53000, 53001, 53002, 53003, 53005, 53009, 53011, 530003, 530032, 530034, 530035),
        *(50005, 50097, 50127, 50129, 50131, 50155, 50187),
    ),
    errors.ConsentMissing: (65001, 65004, 65005, 650056, 650057, 90008, 90094, 90095),
    # A failure of the service, of its directory, or of the agent that queries a directory on premises.
    errors.TokenEndpointFailed: (
        *(50000, 50033, 50087, 50196, 90006, 90012, 90024, 90033, 90055, 90090, 90091),
        *(80001, 80002, 80005, 80007, 80012, 80013, 80014),
    ),
    # The user name or the password is wrong.
    errors.SignInRefused: (50056, 50064, 50126),
}  # fmt: skip
"""Source: https://learn.microsoft.com/en-us/entra/identity-platform/reference-error-codes."""

BY_NUMBER: dict[int, type[IntegrationError]] = {
    number: kind for kind, numbers in _NUMBERS.items() for number in numbers
}
"""The error class of each AADSTS code."""
TRANSIENT = {"temporarily_unavailable", "server_error", "slow_down"}
"""OAuth error names for a transient failure of the service, which is not a refusal."""


def refusal(answer: Mapping[str, Any]) -> IntegrationError:
    """Return the error for an answer of the token endpoint without a token.

    Args:
        answer: The parsed JSON of the answer.

    Returns:
        The error, with the name and the code of Entra as its detail.
    """
    description = _text(answer.get("error_description"))
    name = re.sub(r"[^a-z_]", "", _text(answer.get("error")))[:40]
    match = re.search(r"AADSTS(\d{4,8})", description)
    kind = BY_NUMBER.get(int(match[1]), errors.SignInRefused) if match else errors.SignInRefused
    if kind is errors.SignInRefused and (name in TRANSIENT or not name):
        kind = errors.TokenEndpointFailed
    # An admin can look up the code of Entra.
    return kind(", ".join(filter(None, [name, match.group() if match else ""])) or "it answered without a token")


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
