"""Passwords cannot be guessed: after five failed attempts with a user name, the next attempt with this name has to wait."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from hypothesis import given, settings
from hypothesis import strategies as st

from access import attempts
from access.models import ApiToken, SignInAttempts

PASSWORD = "a long enough password"
NOW = datetime(2026, 3, 4, 14, 0, tzinfo=UTC)


@pytest.fixture
def owner(db) -> User:
    return User.objects.create_superuser("owner", password=PASSWORD)


def try_to(client, password, name="owner", page="login"):
    return client.post(reverse(page), {"username": name, "password": password})


def fail(client, times=attempts.FREE_ATTEMPTS, **kwargs):
    for _ in range(times):
        response = try_to(client, "wrong", **kwargs)
        assert response.status_code == 200
        assert "correct username and password" in response.text


def test_the_sixth_try_waits_also_with_the_right_password(owner):
    anonymous = Client()
    fail(anonymous)
    response = try_to(anonymous, PASSWORD)
    assert response.status_code == 429
    assert 0 < int(response["Retry-After"]) <= 30
    assert "Too many attempts with this user name. Wait a minute" in response.text
    assert "_auth_user_id" not in anonymous.session


def test_an_unknown_user_name_gets_the_same_text(owner):
    anonymous = Client()
    fail(anonymous, name="nobody")
    assert "Too many attempts with this user name" in try_to(anonymous, "wrong", name="nobody").text


def test_other_names_from_the_same_address_do_not_wait(owner):
    User.objects.create_user("colleague", password=PASSWORD)
    fail(Client())
    assert try_to(Client(), PASSWORD, name="colleague").status_code == 302


def test_upper_and_lower_case_are_one_name(owner):
    fail(Client())
    assert try_to(Client(), PASSWORD, name="OWNER").status_code == 429


def test_failed_attempts_elsewhere_do_not_lock_the_owner_out_of_a_known_browser(owner):
    known = Client()
    assert try_to(known, PASSWORD).status_code == 302
    known.post(reverse("logout"))
    fail(Client())
    assert try_to(Client(), PASSWORD).status_code == 429
    assert try_to(known, PASSWORD).status_code == 302


def test_a_known_browser_has_a_separate_number_of_attempts(owner):
    known = Client()
    try_to(known, PASSWORD)
    known.post(reverse("logout"))
    fail(known)
    assert try_to(known, PASSWORD).status_code == 429


@pytest.mark.parametrize("cookie", ["", "x", "a:b:c", '["owner","x"]'])
def test_a_forged_cookie_makes_no_browser_known(owner, cookie):
    anonymous = Client()
    anonymous.cookies["known_browser"] = cookie
    fail(anonymous)
    assert try_to(Client(), PASSWORD).status_code == 429


def test_the_log_in_page_of_djangos_admin_counts_too(owner):
    anonymous = Client()
    fail(anonymous, times=4)
    response = try_to(anonymous, "wrong", page="admin:login")
    assert response.status_code == 200
    assert "Too many attempts" in try_to(anonymous, PASSWORD, page="admin:login").text
    assert try_to(anonymous, PASSWORD).status_code == 429


def test_a_right_password_resets_the_count(owner):
    for _ in range(3):
        fail(Client(), times=4)
        assert try_to(Client(), PASSWORD).status_code == 302


def test_the_wait_doubles_up_to_a_quarter_of_an_hour_and_a_quiet_hour_ends_it(db):
    now, waits = NOW, []
    for _ in range(12):
        assert not attempts.begin("owner", "", now), "the wait is over, so this attempt is allowed"
        until = SignInAttempts.objects.get().wait_until or now
        waits.append((until - now).seconds)
        now = until
    assert waits == [0, 0, 0, 0, 30, 60, 120, 240, 480, 900, 900, 900]
    assert not attempts.begin("owner", "", now + timedelta(hours=1, seconds=1))
    assert SignInAttempts.objects.get().wait_until is None


@settings(max_examples=50, deadline=None)
@given(st.text(), st.text())
def test_the_number_of_rows_is_limited_for_any_input(name, browser):
    assert 0 <= attempts._slot(name, browser) < attempts.SLOTS


def test_the_entered_name_is_not_stored(owner):
    try_to(Client(), "wrong", name="perhaps a password")
    row = SignInAttempts.objects.get()
    assert "perhaps" not in str(vars(row))


def test_a_very_long_name_is_no_error(owner):
    assert try_to(Client(), "wrong", name="x" * 5000).status_code == 200


def test_a_token_of_the_api_is_too_long_to_be_guessed(owner):
    _, token = ApiToken.objects.create(user=owner, name="of a script")
    assert len(bytes.fromhex(token)) * 8 >= 256
