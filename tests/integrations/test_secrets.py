"""Stored secrets are encrypted, are never displayed, and can be encrypted again with a new key."""

import pickle
from io import StringIO

import pytest
from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.core.serializers import serialize
from django.db import connection

from integrations.checks import keys_are_usable, secret_key_is_set, times_fit_together
from integrations.encryption import Secret
from integrations.errors import SecretUnreadable
from integrations.models import Destination, Integration

PLAIN = "correct horse battery staple"


@pytest.fixture
def destination(db):
    return Destination.objects.create(name="Re:infer", endpoint="https://re.example", token=PLAIN)


def stored(destination):
    with connection.cursor() as cursor:
        cursor.execute("SELECT token FROM integrations_destination WHERE id = %s", [destination.pk])
        return cursor.fetchone()[0]


def test_a_stored_secret_is_encrypted_and_reveal_decrypts_it(destination):
    assert PLAIN not in stored(destination)
    assert Destination.objects.get().token.reveal() == PLAIN


def test_a_secret_is_not_in_its_repr_str_json_or_pickle(destination):
    secret = Destination.objects.get().token
    shown = [repr(secret), str(secret), f"{secret}", repr(destination.__dict__), serialize("json", [destination])]
    assert not any(PLAIN in text for text in shown)
    assert PLAIN.encode() not in pickle.dumps(destination)


def test_a_plain_text_is_encrypted_when_it_is_assigned(db):
    integration = Integration(password=PLAIN)
    assert isinstance(integration.password, Secret)
    assert PLAIN not in repr(vars(integration))


def test_an_empty_secret_needs_no_key(settings):
    settings.ENCRYPTION_KEYS = []
    assert not Secret.sealed("")
    assert Secret("").reveal() == ""


@pytest.mark.wording
def test_rotate_keys_encrypts_secrets_with_the_first_key(destination, settings):
    new, old = Fernet.generate_key().decode(), settings.ENCRYPTION_KEYS[0]
    settings.ENCRYPTION_KEYS = [new, old]
    before, out = stored(destination), StringIO()
    call_command("rotate_keys", stdout=out)
    assert stored(destination) != before
    assert "1 secrets are encrypted" in out.getvalue()
    assert new not in out.getvalue()
    settings.ENCRYPTION_KEYS = [new]
    assert Destination.objects.get().token.reveal() == PLAIN


def test_rotate_keys_names_and_keeps_a_secret_that_no_key_decrypts(destination, settings):
    settings.ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    before = stored(destination)
    with pytest.raises(CommandError, match="destination"):
        call_command("rotate_keys", stdout=StringIO())
    assert stored(destination) == before
    with pytest.raises(SecretUnreadable, match="ENCRYPTION_KEYS"):
        Destination.objects.get().token.reveal()


@pytest.mark.wording
def test_a_missing_or_invalid_key_is_reported_at_start_without_its_value(settings):
    settings.ENCRYPTION_KEYS = []
    assert "ENCRYPTION_KEYS is not set" in keys_are_usable(None)[0].msg
    settings.ENCRYPTION_KEYS = ["not-a-key-4711"]
    (problem,) = keys_are_usable(None)
    assert "number 1" in problem.msg
    assert "4711" not in problem.msg
    with pytest.raises(ImproperlyConfigured) as caught:
        Secret.sealed("x")
    assert caught.value.__cause__ is None


def test_a_missing_secret_key_is_reported_at_start(settings):
    settings.SECRET_KEY = ""
    assert "SECRET_KEY" in secret_key_is_set(None)[0].msg


def test_a_lease_that_is_not_longer_than_a_request_is_reported_at_start(settings):
    assert times_fit_together(None) == []
    settings.LEASE = settings.REINFER_DEADLINE
    assert "LEASE" in times_fit_together(None)[0].msg
