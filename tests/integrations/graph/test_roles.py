"""What the doctor says of a token: its roles, and nothing else of it."""

from __future__ import annotations

import base64
import json
from types import SimpleNamespace

import pytest

from integrations.graph.probes import Untried, _Checks


def told_of(claims: object) -> str:
    middle = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    sign_in = SimpleNamespace(token=lambda: f"head.{middle}.signature")
    return _Checks(SimpleNamespace(connection=SimpleNamespace(sign_in=sign_in)), 0)._roles()  # type: ignore[arg-type]


def test_a_consent_for_the_whole_tenant_is_pointed_out() -> None:
    told = told_of({"roles": ["Mail.Read"], "oid": "someone", "upn": "ann@bank.example"})
    assert "names Mail.Read" in told
    assert "remove the consent in Entra" in told
    assert "someone" not in told
    assert "ann@" not in told


def test_no_role_means_that_rbac_decides() -> None:
    assert "RBAC for Applications" in told_of({"roles": []})


def test_the_rights_of_a_service_user_are_named() -> None:
    assert "Mail.Read.Shared" in told_of({"scp": "Mail.Read.Shared openid"})


def test_a_token_that_is_no_document_is_left_alone() -> None:
    sign_in = SimpleNamespace(token=lambda: "opaque")
    with pytest.raises(Untried):
        _Checks(SimpleNamespace(connection=SimpleNamespace(sign_in=sign_in)), 0)._roles()  # type: ignore[arg-type]
