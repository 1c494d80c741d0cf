"""Passwords cannot be guessed: after five tries a user name waits, and nobody else does."""

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
        answer = try_to(client, "wrong", **kwargs)
        assert answer.status_code == 200
        assert "correct username and password" in answer.text


def test_the_sixth_try_waits_also_with_the_right_password(owner):
    stranger = Client()
    fail(stranger)
    answer = try_to(stranger, PASSWORD)
    assert answer.status_code == 429
    assert 0 < int(answer["Retry-After"]) <= 30
    assert "Too many attempts with this user name. Wait a minute" in answer.text
    assert "_auth_user_id" not in stranger.session


def test_a_name_that_nobody_has_waits_in_the_same_words(owner):
    stranger = Client()
    fail(stranger, name="nobody")
    assert "Too many attempts with this user name" in try_to(stranger, "wrong", name="nobody").text


def test_other_names_from_the_same_address_do_not_wait(owner):
    User.objects.create_user("colleague", password=PASSWORD)
    fail(Client())
    assert try_to(Client(), PASSWORD, name="colleague").status_code == 302


def test_upper_and_lower_case_are_one_name(owner):
    fail(Client())
    assert try_to(Client(), PASSWORD, name="OWNER").status_code == 429


def test_a_stranger_who_guesses_does_not_lock_the_owner_out_of_a_browser_that_is_known(owner):
    known = Client()
    assert try_to(known, PASSWORD).status_code == 302
    known.post(reverse("logout"))
    fail(Client())
    assert try_to(Client(), PASSWORD).status_code == 429
    assert try_to(known, PASSWORD).status_code == 302


def test_a_known_browser_has_tries_of_its_own_and_no_more(owner):
    known = Client()
    try_to(known, PASSWORD)
    known.post(reverse("logout"))
    fail(known)
    assert try_to(known, PASSWORD).status_code == 429


@pytest.mark.parametrize("cookie", ["", "x", "a:b:c", '["owner","x"]'])
def test_a_cookie_that_we_did_not_sign_makes_no_browser_known(owner, cookie):
    stranger = Client()
    stranger.cookies["known_browser"] = cookie
    fail(stranger)
    assert try_to(Client(), PASSWORD).status_code == 429


def test_the_log_in_page_of_djangos_admin_counts_too(owner):
    stranger = Client()
    fail(stranger, times=4)
    answer = try_to(stranger, "wrong", page="admin:login")
    assert answer.status_code == 200
    assert "Too many attempts" in try_to(stranger, PASSWORD, page="admin:login").text
    assert try_to(stranger, PASSWORD).status_code == 429


def test_a_right_password_makes_the_wrong_ones_forgotten(owner):
    for _ in range(3):
        fail(Client(), times=4)
        assert try_to(Client(), PASSWORD).status_code == 302


def test_the_wait_doubles_up_to_a_quarter_of_an_hour_and_a_quiet_hour_ends_it(db):
    now, waits = NOW, []
    for _ in range(12):
        assert not attempts.begin("owner", "", now), "the wait is over, and this is the next try"
        until = SignInAttempts.objects.get().wait_until or now
        waits.append((until - now).seconds)
        now = until
    assert waits == [0, 0, 0, 0, 30, 60, 120, 240, 480, 900, 900, 900]
    assert not attempts.begin("owner", "", now + timedelta(hours=1, seconds=1))
    assert SignInAttempts.objects.get().wait_until is None


@settings(max_examples=50, deadline=None)
@given(st.text(), st.text())
def test_whatever_somebody_types_there_are_only_so_many_rows(name, browser):
    assert 0 <= attempts._slot(name, browser) < attempts.SLOTS


def test_the_name_that_was_typed_is_not_kept(owner):
    try_to(Client(), "wrong", name="perhaps a password")
    row = SignInAttempts.objects.get()
    assert "perhaps" not in str(vars(row))


def test_a_name_beyond_any_length_is_no_fault(owner):
    assert try_to(Client(), "wrong", name="x" * 5000).status_code == 200


def test_a_token_of_the_api_is_too_long_to_be_guessed(owner):
    _, token = ApiToken.objects.create(user=owner, name="of a script")
    assert len(bytes.fromhex(token)) * 8 >= 256
