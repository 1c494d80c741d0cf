"""Sign-in with a secret, with a certificate and as a service user, for Graph and EWS, and the error of each refusal."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat

from integrations import errors
from integrations.entra.error_codes import _NUMBERS
from integrations.ews.source import ExchangeSource
from integrations.graph.connection import connection
from integrations.graph.source import GraphSource
from tests.integrations.entra.conftest import ADDRESS, WAYS, Cloud
from tests.simulators.graph.test_signing_in import Signer


def check(cloud: Cloud, way: str = "oauth2", **changed: str) -> None:
    GraphSource(cloud.for_graph(way, **changed), ADDRESS).check()


def fault_of(work: Callable[[], object]) -> errors.IntegrationError:
    with pytest.raises(errors.IntegrationError) as caught:
        work()
    return caught.value


@pytest.mark.parametrize("way", WAYS)
def test_a_mailbox_is_opened_over_graph_with_every_kind_of_sign_in(cloud: Cloud, way: str) -> None:
    check(cloud, way)
    assert cloud.graph.tokens_issued == 1


@pytest.mark.parametrize(("way", "access"), [("certificate", "impersonation"), ("service_user", "delegate")])
def test_a_mailbox_is_opened_over_ews_with_a_certificate_and_as_a_service_user(
    cloud: Cloud, way: str, access: str
) -> None:
    settings = cloud.for_ews(way, access)
    for _ in range(3):
        ExchangeSource(replace(settings), ADDRESS).check()
    assert cloud.graph.tokens_issued == 1
    cloud.graph.expire_tokens()
    ExchangeSource(settings, ADDRESS).check()
    assert cloud.graph.tokens_issued == 2


@pytest.mark.parametrize("algorithm", [hashes.SHA1(), hashes.SHA256()], ids=["SHA-1", "SHA-256"])
def test_a_thumbprint_is_sufficient_without_the_certificate(cloud: Cloud, algorithm: hashes.HashAlgorithm) -> None:
    thumbprint = cloud.signer.certificate.fingerprint(algorithm).hex()
    check(cloud, "certificate", client_certificate="", client_thumbprint=thumbprint)
    check(cloud, "certificate", client_certificate="", client_thumbprint=thumbprint.upper())


# ---- refusals -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("way", "changed", "kind", "number"),
    [
        ("oauth2", {"client_secret": "wrong"}, errors.ClientSecretWrong, 7000215),
        ("oauth2", {"client_secret": "old"}, errors.ClientSecretExpired, 7000222),
        ("oauth2", {"client_id": "stranger"}, errors.ApplicationUnknown, 700016),
        ("oauth2", {"tenant_id": "elsewhere"}, errors.TenantUnknown, 90002),
        (
            "certificate",
            {"client_certificate": "", "client_thumbprint": "0" * 40},
            errors.ClientCertificateRefused,
            700027,
        ),
        ("service_user", {"password": "wrong"}, errors.SignInRefused, 50126),
        ("service_user", {"username": "nobody@bank.example"}, errors.UserUnknown, 50034),
    ],
)
def test_a_refusal_has_its_own_error_class_and_the_code_of_entra(
    cloud: Cloud, way: str, changed: dict[str, str], kind: type[errors.IntegrationError], number: int
) -> None:
    error = fault_of(lambda: check(cloud, way, **changed))
    assert type(error) is kind
    assert f"AADSTS{number}" in error.detail
    assert cloud.labels().count("token") <= 1


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (50053, errors.AccountLocked),
        (50055, errors.AccountLocked),
        (50076, errors.SecondFactorNeeded),
        (53003, errors.ConditionalAccessBlocked),
        (53005, errors.ConditionalAccessBlocked),
        (530035, errors.ConditionalAccessBlocked),
        (7000112, errors.ApplicationDisabled),
        (7000218, errors.PublicClientOff),
        (700025, errors.ApplicationIsPublic),
        (7000229, errors.ServicePrincipalMissing),
        (500011, errors.ResourceUnknown),
        (650052, errors.ResourceUnknown),
        (50105, errors.NotAssigned),
        (501051, errors.NotAssigned),
        (50020, errors.UserUnknown),
        (50057, errors.AccountLocked),
        (50158, errors.SecondFactorNeeded),
        (50194, errors.TenantUnknown),
        (90038, errors.TenantUnknown),
        (500021, errors.TenantRestricted),
        (90094, errors.ConsentMissing),
        (650056, errors.ConsentMissing),
        (80001, errors.TokenEndpointFailed),
        (90055, errors.TokenEndpointFailed),
        (50126, errors.SignInRefused),
        (65001, errors.ConsentMissing),
        (700027, errors.ClientCertificateRefused),
        (90033, errors.TokenEndpointFailed),
        (123456, errors.SignInRefused),
    ],
)
def test_each_code_of_entra_has_an_error_class(cloud: Cloud, number: int, kind: type[errors.IntegrationError]) -> None:
    cloud.graph.faults.add("aadsts", operation="token", number=number, times=1)
    assert type(fault_of(lambda: check(cloud, "service_user"))) is kind
    check(cloud, "service_user")


def test_no_code_has_two_error_classes_and_each_refusal_has_its_own_remedy() -> None:
    numbers = [number for named in _NUMBERS.values() for number in named]
    assert len(numbers) == len(set(numbers))
    kinds = [kind for kind in _NUMBERS if issubclass(kind, errors.Refused)]
    assert len({kind.remedy for kind in kinds}) == len({kind.text for kind in kinds}) == len(kinds)


def test_an_expired_secret_has_the_same_error_class_for_ews(cloud: Cloud) -> None:
    settings = replace(cloud.for_ews("oauth2", "impersonation"), client_secret="old")
    assert type(fault_of(ExchangeSource(settings, ADDRESS).check)) is errors.ClientSecretExpired


@pytest.mark.parametrize("status", [500, 502, 503, 429])
def test_a_failure_of_the_sign_in_service_is_no_refusal_and_the_next_call_requests_a_token(
    cloud: Cloud, status: int
) -> None:
    cloud.graph.faults.add("status", operation="token", status=status, retry_after=7, times=1)
    error = fault_of(lambda: check(cloud))
    assert type(error) is errors.TokenEndpointFailed
    assert error.retry_after == timedelta(seconds=7)
    check(cloud)


@pytest.mark.parametrize(
    "fault",
    [
        {"effect": "status", "status": 200, "body": "[]"},
        {"effect": "status", "status": 200, "body": "{}"},
        {"effect": "status", "status": 200, "body": "<html>Sign in</html>"},
        {"effect": "status", "status": 200, "body": '{"access_token": 5, "expires_in": 60}'},
        {"effect": "status", "status": 200, "body": '{"access_token": "a b\\r\\nX: y", "expires_in": 60}'},
        {"effect": "status", "status": 200, "body": '{"access_token": "t", "expires_in": "soon"}'},
        {"effect": "status", "status": 200, "body": "[" * 100_000},
        {"effect": "status", "status": 400, "body": "no"},
        {"effect": "drop", "bytes": 20},
        {"effect": "truncate", "bytes": 20},
    ],
    ids=str,
)
@pytest.mark.parametrize("operation", ["token", "discovery"])
def test_an_invalid_answer_of_the_sign_in_service_is_a_failure_of_the_token_endpoint(
    cloud: Cloud, fault: dict[str, Any], operation: str
) -> None:
    cloud.graph.faults.add(operation=operation, times=1, **fault)
    assert type(fault_of(lambda: check(cloud))) is errors.TokenEndpointFailed
    check(cloud)


def test_an_unreachable_sign_in_service_is_a_failure_of_the_token_endpoint(cloud: Cloud) -> None:
    error = fault_of(lambda: check(cloud, authority="https://127.0.0.1:9"))
    assert isinstance(error, errors.TokenEndpointFailed)
    assert "the port is closed" in str(error)


def test_an_untrusted_certificate_of_the_sign_in_service_is_reported(cloud: Cloud) -> None:
    source = GraphSource(replace(cloud.for_graph("oauth2"), ca_bundle=""), ADDRESS)
    assert isinstance(fault_of(source.check), errors.CertificateUntrusted)


def test_another_server_in_the_discovery_document_is_refused_and_not_named(cloud: Cloud) -> None:
    document = (
        '{"authorization_endpoint": "https://evil.example/t/a", "token_endpoint": "https://evil.example/t/token"}'
    )
    cloud.graph.faults.add("status", operation="discovery", status=200, body=document, times=1)
    error = fault_of(lambda: check(cloud, "service_user"))
    assert isinstance(error, errors.SignInRefused)
    assert "evil" not in str(error)


# ---- invalid settings -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("way", "changed", "expected"),
    [
        ("oauth2", {"client_secret": ""}, "client secret"),
        ("oauth2", {"tenant_id": ""}, "tenant ID"),
        ("oauth2", {"tenant_id": "a/b"}, "tenant ID"),
        ("certificate", {"client_key": ""}, "private key is needed"),
        ("certificate", {"client_key": "nonsense"}, "not a key in PEM format"),
        ("certificate", {"client_certificate": "nonsense"}, "not a certificate in PEM format"),
        ("certificate", {"client_certificate": ""}, "thumbprint"),
        ("certificate", {"client_certificate": "", "client_thumbprint": "zz"}, "thumbprint"),
        ("service_user", {"password": ""}, "password"),
        ("service_user", {"authority": "http://login.example"}, "sign-in service"),
        ("ntlm", {}, "unknown kind"),
    ],
)
def test_an_invalid_setting_is_reported_before_any_request(
    cloud: Cloud, way: str, changed: dict[str, str], expected: str
) -> None:
    known = way if way in WAYS else "oauth2"
    error = fault_of(lambda: GraphSource(replace(cloud.for_graph(known, **changed), auth=way), ADDRESS))
    assert isinstance(error, errors.SettingsWrong)
    assert expected in error.detail
    assert cloud.wire == []


def test_an_invalid_private_key_is_reported_before_any_request(cloud: Cloud) -> None:
    error = fault_of(lambda: check(cloud, "certificate", client_certificate=Signer().pem))
    assert "does not belong to this certificate" in error.detail
    locked = cloud.signer.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x")).decode()
    assert "passphrase" in fault_of(lambda: check(cloud, "certificate", client_key=locked)).detail
    curve = ec.generate_private_key(ec.SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    assert "RSA" in fault_of(lambda: check(cloud, "certificate", client_key=curve.decode())).detail


# ---- tokens ---------------------------------------------------------------------------------------------------------


def test_many_waiting_threads_share_one_token(cloud: Cloud) -> None:
    settings = cloud.for_graph("certificate")
    cloud.graph.faults.add("slow", operation="folder", seconds=0.01)
    threads = [threading.Thread(target=GraphSource(settings, ADDRESS).check) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert cloud.graph.tokens_issued == 1
    assert cloud.graph.operations == ["folder"] * 12


def test_a_token_that_graph_refuses_is_replaced_once(cloud: Cloud) -> None:
    source = GraphSource(cloud.for_graph("oauth2"), ADDRESS)
    source.check()
    cloud.graph.expire_tokens()
    source.check()
    assert cloud.graph.tokens_issued == 2
    cloud.graph.faults.add("unauthorized", operation="folder")
    error = fault_of(source.check)
    assert type(error) is errors.SignInRefused
    assert cloud.graph.tokens_issued == 3


def test_a_token_near_its_end_is_replaced_before_it_is_refused(cloud: Cloud) -> None:
    cloud.graph.entra.lifetime = 0.0
    source = GraphSource(cloud.for_graph("oauth2"), ADDRESS)
    fault_of(source.check)
    cloud.graph.entra.lifetime = 3600.0
    source.check()
    assert cloud.graph.operations == ["folder"]


def test_a_sign_in_service_that_hangs_takes_no_more_than_the_deadline_of_the_call(cloud: Cloud) -> None:
    cloud.graph.faults.add("hang", operation="token", seconds=30)
    sources: list[GraphSource | ExchangeSource] = [
        GraphSource(replace(cloud.for_graph("oauth2"), deadline=1.0), ADDRESS),
        ExchangeSource(replace(cloud.for_ews("certificate", "impersonation"), deadline=1.0), ADDRESS),
    ]
    for source in sources:
        begun = time.monotonic()
        assert isinstance(fault_of(source.check), errors.TokenEndpointFailed)
        assert time.monotonic() - begun < 5


def test_the_token_of_another_secret_is_not_used(cloud: Cloud) -> None:
    check(cloud)
    assert isinstance(fault_of(lambda: check(cloud, client_secret="wrong")), errors.SignInRefused)


# ---- secrecy --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", WAYS)
def test_no_telemetry_is_sent_and_no_other_server_is_contacted(cloud: Cloud, way: str) -> None:
    check(cloud, way)
    sent = [
        request for request, response in cloud.wire if response.label in ("token", "openid-configuration", "user-realm")
    ]
    assert sent
    names = {name.casefold() for request in sent for name in request.headers}
    assert not [name for name in names if name.startswith(("x-client-", "x-ms-lib", "x-app"))]
    assert "instance-discovery" not in cloud.labels()


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "fault", [None, {"effect": "aadsts", "number": 50126}, {"effect": "status", "status": 200, "body": "x"}]
)
def test_no_secret_is_in_a_log_an_error_or_a_repr(
    cloud: Cloud, caplog: pytest.LogCaptureFixture, way: str, fault: dict[str, Any] | None
) -> None:
    caplog.set_level(logging.DEBUG)
    if fault:
        cloud.graph.faults.add(operation="token", times=1, **fault)
    settings = cloud.for_graph(way)
    texts = []
    try:
        GraphSource(settings, ADDRESS).check()
    except errors.IntegrationError as error:
        seen: BaseException | None = error
        while seen is not None:
            texts += [str(seen), repr(seen)]
            seen = seen.__cause__ or (None if seen.__suppress_context__ else seen.__context__)
    made = connection(settings)
    texts += [repr(settings), repr(made), repr(made.sign_in), repr(vars(made.sign_in)["_settings"])]
    token = vars(made.sign_in)["_token"]
    secrets = ["s3cret", "pa55", "PRIVATE KEY", *([token] if token else [])]
    text = "\n".join([caplog.text, *texts])
    assert not [secret for secret in secrets if secret in text]
