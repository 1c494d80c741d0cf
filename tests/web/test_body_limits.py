"""How large a body may be, by page and by who sends it. Through a real server: see test_web_server.py."""

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
from conversion.preview import MOST_BYTES
from tests.factories import AdminFactory, IntegrationFactory
from web.integrations.document_pages import IMPORT_BYTES

MAIL = b"From: a@x.example\r\nDate: Tue, 5 Mar 2024 10:00:00 +0000\r\nMessage-ID: <1@x>\r\nSubject: A subject\r\n\r\n"
FORM = "application/x-www-form-urlencoded"


def sent(client, path: str, size: int, kind: str = FORM, **given):
    """A request with a body of so many bytes."""
    return client.generic("POST", path, b"x" * size, content_type=kind, **given)


class NotToBeRead(io.BytesIO):
    def read(self, *given):
        raise AssertionError("Something of the body was read.")

    readline = read


def declared(client, path: str, length: int, kind: str = "multipart/form-data; boundary=x", **given):
    """A request that announces a body of so many bytes, of which nothing may be read."""
    environment = {"wsgi.input": NotToBeRead(), "CONTENT_LENGTH": str(length), "CONTENT_TYPE": kind, **given}
    return client.post(path, **environment)


@pytest.mark.parametrize("path", ["/login/", "/preview/", "/integrations/import/", "/nowhere/", "/admin/login/"])
def test_a_stranger_may_send_little_to_any_page(stranger, path):
    assert declared(stranger, path, EVERYBODY + 1).status_code == 413
    assert sent(stranger, path, EVERYBODY).status_code != 413
    assert declared(stranger, path, 10**12).status_code == 413


def test_a_cookie_of_a_session_that_is_none_opens_nothing(stranger):
    stranger.cookies[real.SESSION_COOKIE_NAME] = "a" * 32
    assert declared(stranger, "/preview/", EVERYBODY + 1).status_code == 413


def test_who_may_not_open_a_page_may_send_no_more_than_a_stranger(db):
    client = Client()
    viewer = User.objects.create_user("viewer")
    viewer.groups.add(Group.objects.get(name="Viewer"))
    client.force_login(viewer)
    assert declared(client, "/integrations/import/", EVERYBODY + 1).status_code == 413
    assert declared(client, "/preview/", MOST_BYTES + AROUND_FILES + 1).status_code == 413


def test_each_page_has_its_limit_for_whoever_may_open_it(admin):
    integration = IntegrationFactory()
    limits = {
        "/preview/": MOST_BYTES + AROUND_FILES,
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
        assert declared(admin, path, most + 1).status_code == 413, path
    for path in ("/integrations/import/", "/integrations/new/", f"/integrations/{integration.pk}/start/"):
        assert sent(admin, path, limits[path]).status_code != 413, path


def test_what_is_refused_is_told_as_a_page(stranger):
    answer = declared(stranger, "/login/", EVERYBODY + 1)
    assert answer["Content-Type"].startswith("text/html")
    assert "The body is larger than 65,536 bytes." in answer.content.decode()
    assert "content-security-policy" in {name.lower() for name in answer.headers}


def test_an_upload_within_the_limit_arrives_whole(admin):
    mime = MAIL + b"0123456789 abcdef\r\n" * 20_000
    answer = admin.post("/preview/", {"file": SimpleUploadedFile("x.eml", mime)})
    assert answer.status_code == 200
    assert "A subject" in answer.content.decode()


@pytest.fixture
def token(db) -> str:
    _, text = ApiToken.objects.create(user=AdminFactory(), name="limits")
    return f"Bearer {text}"


def test_the_api_takes_more_from_whoever_has_a_valid_token(stranger, token, settings):
    most, path = settings.API_MOST_BYTES, "/api/v1/webhooks"
    for wrong in ({}, {"HTTP_AUTHORIZATION": "Bearer nonsense"}, {"HTTP_AUTHORIZATION": "Bearer ünïcödé"}):
        refused = declared(stranger, path, EVERYBODY + 1, "application/json", **wrong)
        assert refused.status_code == 413
        assert refused["Content-Type"] == "application/problem+json"
        assert json.loads(refused.content) == {
            "type": "about:blank", "title": HTTPStatus(413).phrase, "status": 413,
            "detail": "The body is larger than 65,536 bytes.",
        }  # fmt: skip
    known = {"HTTP_AUTHORIZATION": token}
    assert declared(stranger, path, most + 1, "application/json", **known).status_code == 413
    assert sent(stranger, path, EVERYBODY + 1, "application/json", **known).status_code == 400
    assert declared(stranger, "/api/v1/preview", MOST_BYTES + 1, "message/rfc822", **known).status_code == 413
    mime = MAIL + b"0123456789 abcdef\r\n" * 10_000
    told = stranger.generic("POST", "/api/v1/preview", mime, content_type="message/rfc822", **known)
    assert told.status_code == 200


def test_the_vendors_client_is_told_in_its_own_shape(stranger):
    refused = declared(stranger, "/api/_private/integrations", EVERYBODY + 1, "application/json")
    assert refused.status_code == 413
    assert json.loads(refused.content) == {"status": "error", "message": "The body is larger than 65,536 bytes."}


class Endless(io.RawIOBase):
    """A body in chunks that has no end."""

    taken = 0

    def read(self, size=-1):
        assert size > 0
        self.taken += size
        return b"x" * size


def chunked(client, path: str, stream, **given):
    environment = {"wsgi.input": stream, "CONTENT_LENGTH": "", "HTTP_TRANSFER_ENCODING": "chunked", **given}
    return client.post(path, **environment)


def test_a_body_of_unknown_length_is_counted_as_it_comes(stranger, token):
    endless = Endless()
    assert chunked(stranger, "/login/", endless).status_code == 413
    assert endless.taken == EVERYBODY + 1
    known = {"HTTP_AUTHORIZATION": token, "CONTENT_TYPE": "application/json"}
    endless = Endless()
    assert chunked(stranger, "/api/v1/integrations", endless, **known).status_code == 413
    assert endless.taken == real.API_MOST_BYTES + 1


def test_a_body_of_unknown_length_is_read_like_any_other(stranger, token):
    mime = MAIL + b"Hello\r\n"
    given = {"HTTP_AUTHORIZATION": token, "CONTENT_TYPE": "message/rfc822"}
    answer = chunked(stranger, "/api/v1/preview", io.BytesIO(mime), **given)
    assert answer.status_code == 200
    assert "A subject" in answer.content.decode()
