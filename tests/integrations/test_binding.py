"""Which changes of settings would send a stored secret to another server, or over a less secure connection.

A place is the set of settings that determine to which server a secret is sent, and how.
"""

from __future__ import annotations

import pytest

from integrations import binding
from tests.pems import certificate_pem, rsa_key

ONE, OTHER = certificate_pem(rsa_key()), certificate_pem(rsa_key(2))
APP = {
    "auth": "oauth2",
    "endpoint": "https://mail.bank.example/EWS/Exchange.asmx",
    "authority": "https://login.microsoftonline.com",
    "tenant_id": "bank.example",
    "proxy": "http://proxy.bank.example:3128",
    "ca_bundle": ONE + OTHER,
    "tls_minimum": "1.2",
    "tls_ciphers": "ECDHE+AESGCM",
}


def place(**values):
    (single,) = binding.places_of_integration({**APP, **values}).values()
    return single


@pytest.mark.parametrize(
    ("values", "part"),
    [
        ({"endpoint": "https://mail.thief.example/EWS/Exchange.asmx"}, "endpoint"),
        ({"endpoint": "http://mail.bank.example/EWS/Exchange.asmx"}, "endpoint"),
        ({"endpoint": "https://mail.bank.example:8443/EWS/Exchange.asmx"}, "endpoint"),
        ({"endpoint": "https://mail.bank.example/thief/Exchange.asmx"}, "endpoint"),
        ({"endpoint": "https://mail.bank.example./EWS/Exchange.asmx"}, "endpoint"),
        ({"endpoint": "https://outlook.office365.com/EWS/Exchange.asmx"}, "endpoint"),
        ({"authority": "https://login.microsoftonline.us"}, "authority"),
        ({"authority": "https://login.microsoftonline.com/thief"}, "authority"),
        ({"tenant_id": "thief.example"}, "tenant"),
        ({"proxy": ""}, "proxy"),
        ({"proxy": "https://proxy.bank.example:3128"}, "proxy"),
        ({"proxy": "http://proxy.bank.example"}, "proxy"),
        ({"ca_bundle": ONE}, "ca_bundle"),
        ({"ca_bundle": ""}, "ca_bundle"),
        ({"tls_minimum": "1.1"}, "tls_minimum"),
        ({"tls_minimum": ""}, "tls_minimum"),
        ({"tls_ciphers": ""}, "tls_ciphers"),
        ({"tls_ciphers": "DEFAULT:@SECLEVEL=0"}, "tls_ciphers"),
    ],
)
def test_another_server_or_weaker_protection_is_a_change(values, part):
    assert binding.changed(place(), place(**values)) == [part]


@pytest.mark.parametrize(
    "values",
    [
        {"endpoint": " https://MAIL.bank.example:443/EWS/Exchange.asmx/ "},
        {"authority": "https://LOGIN.microsoftonline.com/"},
        {"tenant_id": "Bank.Example"},
        {"proxy": "http://Proxy.Bank.example:3128/"},
        {"ca_bundle": "Two of them:\n" + OTHER + "\n\n" + ONE + ONE},
        {"tls_minimum": "1.3"},
        {"tls_ciphers": " ECDHE+AESGCM "},
    ],
)
def test_an_equivalent_spelling_is_no_change(values):
    assert binding.changed(place(), place(**values)) == []


@pytest.mark.parametrize(
    ("before", "after", "is_change"),
    [
        *(("", "1.0", True), ("", "1.1", True), ("", "1.2", False), ("", "1.3", False)),
        *(("1.0", "", False), ("1.1", "", False), ("1.2", "", True), ("1.3", "", True)),
        *(("1.0", "1.1", False), ("1.1", "1.3", False), ("1.3", "1.2", True), ("1.2", "1.0", True)),
    ],
)
def test_only_a_lower_minimum_tls_version_is_a_change(before, after, is_change):
    assert bool(binding.changed(place(tls_minimum=before), place(tls_minimum=after))) is is_change


@pytest.mark.parametrize("invalid", ["x", "2", "nan", "1.2 "])
def test_an_invalid_minimum_tls_version_is_a_change(invalid):
    assert binding.changed(place(tls_minimum=invalid), place(tls_minimum="1.2")) == ["tls_minimum"]
    assert binding.changed(place(), place(tls_minimum=invalid)) == ["tls_minimum"]


def test_graph_of_the_same_cloud_is_no_change_and_graph_of_another_cloud_is_one():
    ews = place(endpoint="https://outlook.office365.com/EWS/Exchange.asmx")
    assert binding.changed(ews, place(endpoint="https://graph.microsoft.com")) == []
    assert binding.changed(ews, place(endpoint="https://graph.microsoft.us")) == ["endpoint"]
    assert binding.changed(ews, place(endpoint="http://graph.microsoft.com")) == ["endpoint"]
    assert binding.changed(ews, place(endpoint="https://graph.microsoft.com:8443")) == ["endpoint"]
    assert binding.changed(ews, place(endpoint="https://graph.microsoft.com.thief.example")) == ["endpoint"]


def test_a_sign_in_service_is_another_place_than_the_server_itself():
    at_server = binding.places_of_integration({**APP, "auth": "ntlm"})["password"]
    at_service = binding.places_of_integration({**APP, "auth": "service_user"})["password"]
    assert "sign_in" in binding.changed(at_server, at_service)
    assert "sign_in" in binding.changed(at_service, at_server)
    assert binding.changed(at_server, binding.places_of_integration({**APP, "auth": "basic"})["password"]) == []


def test_the_sign_in_service_does_not_matter_for_ntlm():
    ntlm = {**APP, "auth": "ntlm"}
    at_server = binding.places_of_integration(ntlm)["password"]
    elsewhere = {"authority": "https://thief.example", "tenant_id": "thief"}
    assert binding.changed(at_server, binding.places_of_integration({**ntlm, **elsewhere})["password"]) == []


def test_without_a_stored_place_the_sign_in_counts_as_changed():
    assert binding.changed(None, place()) == ["sign_in"]


def test_the_sentence_names_all_changed_settings():
    assert binding.must_be_entered_again("Client secret", ["endpoint"]) == (
        "The client secret must be entered again because the endpoint changed."
    )
    assert binding.must_be_entered_again("API token", ["endpoint", "tenant", "proxy"]) == (
        "The API token must be entered again because the endpoint, the tenant and the proxy changed."
    )


def test_a_route_contains_only_roles_hosts_and_ports():
    values = {**APP, "endpoint": "https://me:word@[::1]/path?secret=1", "proxy": "http://proxy.example"}
    assert binding.route_of_integration(values) == [
        ("Endpoint", "[::1]:443"),
        ("Sign-in service", "login.microsoftonline.com:443"),
        ("Proxy", "proxy.example:80"),
    ]
    assert binding.host_and_port("https://[half") == "an address that cannot be read"
