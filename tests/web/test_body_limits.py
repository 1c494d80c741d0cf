"""The size limit of a request body, by page and by user. See test_web_server.py for tests with a real server."""

from __future__ import annotations

import io
import json
from http import HTTPStatus

import pytest
from django.conf import settings as real
from django.contrib.auth.models import Group, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from access.body_limits import AROUND_FILES, EVERYBODY, PAGE
from access.models import ApiToken
from conversion.preview import MAX_BYTES
from tests.factories import AdminFactory, IntegrationFactory
from web.integrations.document_pages import IMPORT_BYTES

MAIL = b"From: a@x.example\r\nDate: Tue, 5 Mar 2024 10:00:00 +0000\r\nMessage-ID: <1@x>\r\nSubject: A subject\r\n\r\n"
FORM = "application/x-www-form-urlencoded"


def post_body(client, path: str, size: int, kind: str = FORM, **given):
    """Send a request with a body of this many bytes."""
    return client.generic("POST", path, b"x" * size, content_type=kind, **given)


class UnreadableBody(io.BytesIO):
    def read(self, *given):
        raise AssertionError("The body was read.")

    readline = read


def announce_body(client, path: str, length: int, kind: str = "multipart/form-data; boundary=x", **given):
    """Send a request whose Content-Length is this number of bytes. Reading any part of its body is an error."""
    environment = {"wsgi.input": UnreadableBody(), "CONTENT_LENGTH": str(length), "CONTENT_TYPE": kind, **given}
    return client.post(path, **environment)


@pytest.mark.parametrize("path", ["/login/", "/preview/", "/integrations/import/", "/nowhere/", "/admin/login/"])
def test_unauthenticated_clients_have_a_small_limit_on_pages(anonymous, path):
    assert announce_body(anonymous, path, EVERYBODY + 1).status_code == 413
    assert post_body(anonymous, path, EVERYBODY).status_code != 413
    assert announce_body(anonymous, path, 10**12).status_code == 413


def test_an_invalid_session_cookie_does_not_raise_the_limit(anonymous):
    anonymous.cookies[real.SESSION_COOKIE_NAME] = "a" * 32
    assert announce_body(anonymous, "/preview/", EVERYBODY + 1).status_code == 413


def test_users_without_access_to_a_page_have_the_limit_of_unauthenticated_clients(db):
    client = Client()
    viewer = User.objects.create_user("viewer")
    viewer.groups.add(Group.objects.get(name="Viewer"))
    client.force_login(viewer)
    assert announce_body(client, "/integrations/import/", EVERYBODY + 1).status_code == 413
    assert announce_body(client, "/preview/", MAX_BYTES + AROUND_FILES + 1).status_code == 413


def test_each_page_has_its_own_limit_for_users_with_access(admin):
    integration = IntegrationFactory()
    limits = {
        "/preview/": MAX_BYTES + AROUND_FILES,
        "/integrations/import/": IMPORT_BYTES,
        "/integrations/new/": 1024 * 1024,
        f"/integrations/{integration.pk}/edit/": 1024 * 1024,
        f"/integrations/{integration.pk}/mailboxes/new/": 4 * 1024 * 1024,
        f"/integrations/{integration.pk}/mailboxes/many/": 4 * 1024 * 1024,
        f"/integrations/{integration.pk}/start/": PAGE,
        "/admin/auth/user/add/": PAGE,
        "/logout/": PAGE,
    }
    for path, most in limits.items():
        assert announce_body(admin, path, most + 1).status_code == 413, path
    for path in ("/integrations/import/", "/integrations/new/", f"/integrations/{integration.pk}/start/"):
        assert post_body(admin, path, limits[path]).status_code != 413, path


def test_a_refused_body_is_answered_with_an_error_page(anonymous):
    response = announce_body(anonymous, "/login/", EVERYBODY + 1)
    assert response["Content-Type"].startswith("text/html")
    assert "The body is larger than 65,536 bytes." in response.content.decode()
    assert "content-security-policy" in {name.lower() for name in response.headers}


def test_an_upload_within_the_limit_is_accepted(admin):
    mime = MAIL + b"0123456789 abcdef\r\n" * 20_000
    response = admin.post("/preview/", {"file": SimpleUploadedFile("x.eml", mime)})
    assert response.status_code == 200
    assert "A subject" in response.content.decode()


@pytest.fixture
def token(db) -> str:
    _, text = ApiToken.objects.create(user=AdminFactory(), name="limits")
    return f"Bearer {text}"


def test_the_api_has_a_higher_limit_for_clients_with_a_valid_token(anonymous, token, settings):
    most, path = settings.API_MOST_BYTES, "/api/v1/webhooks"
    for wrong in ({}, {"HTTP_AUTHORIZATION": "Bearer nonsense"}, {"HTTP_AUTHORIZATION": "Bearer ünïcödé"}):
        refused = announce_body(anonymous, path, EVERYBODY + 1, "application/json", **wrong)
        assert refused.status_code == 413
        assert refused["Content-Type"] == "application/problem+json"
        assert json.loads(refused.content) == {
            "type": "about:blank", "title": HTTPStatus(413).phrase, "status": 413,
            "detail": "The body is larger than 65,536 bytes.",
        }  # fmt: skip
    known = {"HTTP_AUTHORIZATION": token}
    assert announce_body(anonymous, path, most + 1, "application/json", **known).status_code == 413
    assert post_body(anonymous, path, EVERYBODY + 1, "application/json", **known).status_code == 400
    assert announce_body(anonymous, "/api/v1/preview", MAX_BYTES + 1, "message/rfc822", **known).status_code == 413
    mime = MAIL + b"0123456789 abcdef\r\n" * 10_000
    accepted = anonymous.generic("POST", "/api/v1/preview", mime, content_type="message/rfc822", **known)
    assert accepted.status_code == 200


def test_the_reinfer_compatible_api_refuses_a_body_in_its_own_format(anonymous):
    refused = announce_body(anonymous, "/api/_private/integrations", EVERYBODY + 1, "application/json")
    assert refused.status_code == 413
    assert json.loads(refused.content) == {"status": "error", "message": "The body is larger than 65,536 bytes."}


class Endless(io.RawIOBase):
    """A chunked body without an end."""

    taken = 0

    def read(self, size=-1):
        assert size > 0
        self.taken += size
        return b"x" * size


def post_chunked(client, path: str, stream, **given):
    environment = {"wsgi.input": stream, "CONTENT_LENGTH": "", "HTTP_TRANSFER_ENCODING": "chunked", **given}
    return client.post(path, **environment)


def test_a_chunked_body_is_counted_while_it_is_read(anonymous, token):
    endless = Endless()
    assert post_chunked(anonymous, "/login/", endless).status_code == 413
    assert endless.taken == EVERYBODY + 1
    known = {"HTTP_AUTHORIZATION": token, "CONTENT_TYPE": "application/json"}
    endless = Endless()
    assert post_chunked(anonymous, "/api/v1/integrations", endless, **known).status_code == 413
    assert endless.taken == real.API_MOST_BYTES + 1


def test_a_small_chunked_body_is_accepted(anonymous, token):
    mime = MAIL + b"Hello\r\n"
    given = {"HTTP_AUTHORIZATION": token, "CONTENT_TYPE": "message/rfc822"}
    response = post_chunked(anonymous, "/api/v1/preview", io.BytesIO(mime), **given)
    assert response.status_code == 200
    assert "A subject" in response.content.decode()
