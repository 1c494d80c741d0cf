"""Roles: which role may open which page and use which button."""

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import get_resolver, reverse
from django.urls.resolvers import URLPattern, URLResolver

from access.roles import ROLES, make_roles
from access.table import ACCESS, ADMINISTER, EVERYBODY, OPERATE, READ_MAIL, VIEW, allows
from tests.factories import AdminFactory, MailboxFactory, MailboxStateFactory

MAY = {
    "nobody": {EVERYBODY},
    "Viewer": {EVERYBODY, VIEW},
    "Operator": {EVERYBODY, VIEW, OPERATE},
    "Administrator": {EVERYBODY, VIEW, OPERATE, ADMINISTER, READ_MAIL},
}


def routes(patterns):
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            if pattern.app_name != "admin":
                yield from routes(pattern.url_patterns)
        elif str(pattern.name).startswith("api-"):
            continue  # tests/api/test_permissions.py has the tests for the API
        elif isinstance(pattern, URLPattern):
            yield pattern


ROUTES = list(routes(get_resolver().url_patterns))


def test_the_access_table_lists_exactly_the_url_names_of_the_pages():
    assert {route.name for route in ROUTES} == set(ACCESS)


@pytest.fixture
def client_of(db):
    def logged_in(role):
        user = User.objects.create_user(role, password="x")
        if role in ROLES:
            user.groups.add(Group.objects.get(name=role))
        client = Client()
        client.force_login(user)
        return client

    return logged_in


@pytest.mark.parametrize("role", MAY)
@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_each_role_opens_exactly_the_pages_that_it_is_allowed(client_of, role, route):
    client = client_of(role)
    arguments = dict.fromkeys(route.pattern.converters, 4711)
    response = client.get(reverse(route.name, kwargs=arguments))
    assert (response.status_code == 403) == (ACCESS[route.name] not in MAY[role])


def test_buttons_are_shown_only_to_roles_that_may_use_them(client_of):
    mailbox = MailboxFactory()
    MailboxStateFactory(mailbox=mailbox)
    page, stop, edit = (reverse(name, args=[mailbox.pk]) for name in ("mailbox", "mailbox-stop", "mailbox-edit"))
    shown = {role: client_of(role).get(page).content.decode() for role in ROLES}
    assert [stop in shown[role] for role in ROLES] == [False, True, True]
    assert [edit in shown[role] for role in ROLES] == [False, False, True]


def test_make_roles_does_not_reset_a_role_that_an_admin_changed(db):
    group = Group.objects.get(name="Viewer")
    group.permissions.clear()
    make_roles()
    assert not group.permissions.exists()


def test_a_query_string_does_not_change_who_may_open_a_page(admin):
    viewer = User.objects.create_user("viewer")
    assert allows("/destinations/new/?for=1", AdminFactory())
    assert not allows("/destinations/new/?for=1", viewer)
