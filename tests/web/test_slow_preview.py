"""A preview whose conversion does not end does not block other requests: it runs in a child process."""

from __future__ import annotations

import time
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import timedelta

import httpx
import pytest
from django.test import Client
from django.urls import reverse

from access.models import ApiToken
from conversion.deadline import child_process
from tests.conversion.deadline.slow import MARK
from tests.factories import AdminFactory
from tests.mails import mail

pytestmark = pytest.mark.django_db(transaction=True)
SLOW = mail("slow", subject=MARK)


@pytest.fixture
def faulty(monkeypatch, settings):
    monkeypatch.setattr(child_process, "CHILD", "tests.conversion.deadline.faulty_child")
    settings.CONVERSION_DEADLINE = timedelta(seconds=3)


@pytest.fixture
def browser(live_server):
    """An HTTP client that is logged in, for a server with a thread for each request."""
    client = Client()
    client.force_login(AdminFactory())
    client.get(reverse("preview"))
    cookies = "; ".join(f"{name}={cookie.value}" for name, cookie in client.cookies.items())
    headers = {"Cookie": cookies, "X-CSRFToken": client.cookies["csrftoken"].value}
    with httpx.Client(base_url=live_server.url, headers=headers, timeout=60) as it:
        yield it


def upload(browser, mime: bytes) -> httpx.Response:
    return browser.post(reverse("preview"), files={"file": ("a.eml", mime)})


def test_an_ordinary_email_is_shown(browser):
    assert "Could you look at a, please?" in upload(browser, mail("a")).text


@pytest.mark.long
def test_while_conversions_do_not_end_other_requests_are_served_and_another_preview_gets_429(browser, faulty):
    with ThreadPoolExecutor(child_process.AT_ONCE) as pool:
        slow: list[Future[httpx.Response]] = [pool.submit(upload, browser, SLOW) for _ in range(child_process.AT_ONCE)]
        end = time.monotonic() + 20
        while child_process._places._value and time.monotonic() < end:
            assert browser.get("/healthz").text == "ok"
        refused = upload(browser, mail("a"))
        assert (refused.status_code, "Try again in a few seconds." in refused.text) == (429, True)
        assert browser.get("/healthz").text == "ok"
        assert not any(response.done() for response in slow), (
            "the requests above were served during the slow conversions"
        )
        wait(slow)
    for response in slow:
        assert response.result().status_code == 200
        assert "conversion_deadline: " in response.result().text
        assert "longer than 3 s" in response.result().text
    assert "Could you look at a, please?" in upload(browser, mail("a")).text


@pytest.mark.long
def test_the_api_also_refuses_a_preview_with_429_while_conversions_do_not_end(browser, faulty):
    token = ApiToken.objects.create(AdminFactory(), name="test")[1]
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "message/rfc822"}

    def preview(mime: bytes) -> httpx.Response:
        return httpx.post(f"{browser.base_url}/api/v1/preview", content=mime, headers=headers, timeout=60)

    with ThreadPoolExecutor(child_process.AT_ONCE) as pool:
        slow = [pool.submit(preview, SLOW) for _ in range(child_process.AT_ONCE)]
        end = time.monotonic() + 20
        while child_process._places._value and time.monotonic() < end:
            time.sleep(0.01)
        refused = preview(mail("a"))
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "5")
    reasons = [response.result().json()["rejection"] for response in slow]
    assert all(reason.startswith("conversion_deadline: ") and "longer than 3 s" in reason for reason in reasons)
    assert "comment" in preview(mail("a")).json()
