"""The check of an access token shows its roles or its delegated permissions, and no other value of the token."""

from __future__ import annotations

import base64
import json
from types import SimpleNamespace

import pytest

from integrations.graph.service_checks import Untried, _Checks


def result_for(claims: object) -> str:
    middle = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    sign_in = SimpleNamespace(token=lambda: f"head.{middle}.signature")
    return _Checks(SimpleNamespace(connection=SimpleNamespace(sign_in=sign_in)), 0)._roles()  # type: ignore[arg-type]


def test_a_consent_for_the_whole_tenant_is_reported() -> None:
    result = result_for({"roles": ["Mail.Read"], "oid": "someone", "upn": "ann@bank.example"})
    assert "names Mail.Read" in result
    assert "remove the consent in Entra" in result
    assert "someone" not in result
    assert "ann@" not in result


def test_a_token_without_roles_is_reported_as_rbac_for_applications() -> None:
    assert "RBAC for Applications" in result_for({"roles": []})


def test_the_permissions_of_a_service_user_are_named() -> None:
    assert "Mail.Read.Shared" in result_for({"scp": "Mail.Read.Shared openid"})


def test_an_opaque_token_is_not_checked() -> None:
    sign_in = SimpleNamespace(token=lambda: "opaque")
    with pytest.raises(Untried):
        _Checks(SimpleNamespace(connection=SimpleNamespace(sign_in=sign_in)), 0)._roles()  # type: ignore[arg-type]
