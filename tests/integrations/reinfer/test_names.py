"""Validation of bucket names and API endpoints, as an admin enters them."""

from __future__ import annotations

import pytest

from integrations.errors import ReinferEndpointWrong
from integrations.reinfer.endpoint import Endpoint, problem_with_endpoint
from integrations.reinfer.names import problem_with_bucket


@pytest.mark.parametrize(("project", "name"), [("acme", "mail"), ("acme.prod", "Mail_2-b"), ("a" * 1024, "b" * 256)])
def test_a_valid_bucket_name_has_no_problem(project: str, name: str) -> None:
    assert problem_with_bucket(project, name) is None


@pytest.mark.parametrize(
    ("project", "name", "word"),
    [
        ("", "mail", "project is missing"),
        ("acme", "", "bucket name is missing"),
        ("acme/mail", "mail", "project must not contain a slash"),
        ("acme", "acme/mail", "bucket name must not contain a slash"),
        ("acme", "mail/", "bucket name must not contain a slash"),
        ("acme", " mail", "white space"),
        ("acme", "mail\n", "white space"),
        ("acme", "mail.box", "bucket name may only contain"),
        ("acme", "Büro", "bucket name may only contain"),
        ("..", "mail", "project must not consist of one dot or two dots"),
        (".", "mail", "project must not consist of one dot or two dots"),
        ("a" * 1025, "mail", "longer than 1024"),
        ("acme", "b" * 257, "longer than 256"),
    ],
)
def test_an_invalid_bucket_name_is_explained(project: str, name: str, word: str) -> None:
    assert word in (problem_with_bucket(project, name) or "")


@pytest.mark.parametrize(
    "base",
    [
        "https://acme.reinfer.io",
        "https://cloud.uipath.com/org/tenant/reinfer_",
        "http://127.0.0.1:8080",
        "http://[::1]:81/a",
    ],
)
@pytest.mark.parametrize("ending", ["", "/", " ", "/ "])
def test_paths_are_appended_to_the_path_of_the_endpoint(base: str, ending: str) -> None:
    endpoint = Endpoint.parse(base + ending)
    assert endpoint.url("api", "v1", "sources", "acme", "mail") == f"{base}/api/v1/sources/acme/mail"


def test_path_segments_are_escaped() -> None:
    url = Endpoint.parse("https://acme.reinfer.io/x").url("comments", "a/b?c#d e%ü")
    assert url == "https://acme.reinfer.io/x/comments/a%2Fb%3Fc%23d%20e%25%C3%BC"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "acme.reinfer.io",
        "ftp://acme.reinfer.io",
        "https://",
        "https:///path",
        "https://acme.reinfer.io:99999",
        "https://acme.reinfer.io:port",
        "https://user:hunter2@acme.reinfer.io",
        "https://token@acme.reinfer.io",
        "https://acme.reinfer.io/?a=b",
        "https://acme.reinfer.io/#x",
        "https://acme.reinfer.io/a/../b",
        "https://acme.reinfer.io//b",
        "https://acme.reinfer.io\\b",
        "https://acme reinfer.io",
        "https://äcme.reinfer.io",
        "https://acme.reinfer.io/\nHost: x",
        "https://[::1",
        "https://cloud.uipath.com/org/tenant/reinfer_/api/v1/",
    ],
)
def test_an_endpoint_that_cannot_be_used_is_explained_without_its_secrets(text: str) -> None:
    assert problem_with_endpoint(text)
    with pytest.raises(ReinferEndpointWrong) as caught:
        Endpoint.parse(text)
    assert "hunter2" not in str(caught.value)
