"""Factories for database rows with realistic defaults, so that a test sets only the values that matter to it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import factory
from django.contrib.auth import get_user_model
from django.utils import timezone
from factory.django import DjangoModelFactory

from integrations.catalogue import STAGES
from integrations.messages import FolderKind
from integrations.models import Destination, Integration
from mailboxes.models import Bucket, Mailbox
from sync.engine.records import DELIVERED, NEWLY_WANTED
from sync.jobs.activity import hour_of
from sync.models import (
    Activity,
    DeadLetter,
    LedgerEntry,
    MailboxItem,
    MailboxState,
    NewlyWanted,
    Process,
    SyncedFolder,
    SyncRun,
)


def ago(**span: float):
    """Return a lazy attribute for a time in the past, such as `ago(minutes=5)`."""
    return factory.LazyFunction(lambda: timezone.now() - timedelta(**span))


class AdminFactory(DjangoModelFactory):
    class Meta:
        model = get_user_model()
        django_get_or_create = ("username",)

    username = "admin"
    is_staff = True
    is_superuser = True


class DestinationFactory(DjangoModelFactory):
    class Meta:
        model = Destination

    name = factory.Sequence(lambda number: f"Tenant {number}")
    endpoint = "https://reinfer.example/tenant/reinfer_"
    token: Any = "a-token-nobody-may-read"  # in a saved row, the value is an object that hides the secret


class BucketFactory(DjangoModelFactory):
    class Meta:
        model = Bucket

    destination = factory.SubFactory(DestinationFactory)
    project = "operations"
    name = factory.Sequence(lambda number: f"bucket-{number}")


class IntegrationFactory(DjangoModelFactory):
    """An enabled integration; with `stopped=True`, a disabled integration."""

    class Meta:
        model = Integration

    class Params:
        stopped = factory.Trait(enabled=False, disabled_reason="user")

    project = "operations"
    name = factory.Sequence(lambda number: f"exchange-{number}")
    endpoint = "https://exchange.example/EWS/Exchange.asmx"
    username = r"CORP\svc-reinfer"
    password: Any = "a-password-nobody-may-read"
    enabled = True
    disabled_reason = ""


def moved(integration, **values):
    """Change settings of an integration, enter its secrets again as the form requires, and save it."""
    for name, value in values.items():
        setattr(integration, name, value)
    for name in integration.places():
        setattr(integration, name, getattr(integration, name).reveal())
    integration.save()


class MailboxFactory(DjangoModelFactory):
    """An enabled mailbox without a state row. `MailboxStateFactory` also creates the state row."""

    class Meta:
        model = Mailbox

    class Params:
        stopped = factory.Trait(enabled=False, disabled_reason="user")

    integration = factory.SubFactory(IntegrationFactory)
    bucket = factory.SubFactory(BucketFactory)
    address = factory.Sequence(lambda number: f"team-{number}@corp.example")


class MailboxStateFactory(DjangoModelFactory):
    """The state of a mailbox that is up to date and due in a minute."""

    class Meta:
        model = MailboxState

    mailbox = factory.SubFactory(MailboxFactory)
    next_sync_at = factory.LazyFunction(lambda: timezone.now() + timedelta(minutes=1))
    synced_at = ago(seconds=20)
    up_to_date = True


class SyncedFolderFactory(DjangoModelFactory):
    class Meta:
        model = SyncedFolder

    mailbox = factory.SubFactory(MailboxFactory)
    folder_id = factory.Sequence(lambda number: f"folder-{number}")
    name = "Inbox"
    path = factory.LazyAttribute(lambda folder: [folder.name])
    kind = FolderKind.ORDINARY.value
    cursor = "a cursor"
    up_to_date = True


class MailboxItemFactory(DjangoModelFactory):
    class Meta:
        model = MailboxItem

    folder = factory.SubFactory(SyncedFolderFactory)
    mailbox = factory.SelfAttribute("folder.mailbox")
    item_id = factory.Sequence(lambda number: f"item-{number}")
    verdict = DELIVERED


class LedgerEntryFactory(DjangoModelFactory):
    class Meta:
        model = LedgerEntry

    bucket = factory.SubFactory(BucketFactory)
    comment_id = factory.Sequence(lambda number: f"{number:040x}")
    state = LedgerEntry.State.CONFIRMED
    billed = True


class DeadLetterFactory(DjangoModelFactory):
    class Meta:
        model = DeadLetter

    folder = factory.SubFactory(SyncedFolderFactory)
    mailbox = factory.SelfAttribute("folder.mailbox")
    item_id = factory.Sequence(lambda number: f"item-aside-{number}")
    stage = "push"
    kind = factory.LazyAttribute(lambda email: STAGES[email.stage])
    reason = "Re:infer refused this comment: a subject may not be empty."
    received = ago(hours=3)
    last_at = ago(hours=1)
    size = 48_000


class SyncRunFactory(DjangoModelFactory):
    class Meta:
        model = SyncRun

    mailbox = factory.SubFactory(MailboxFactory)
    started_at = ago(minutes=2)
    ended_at = ago(minutes=1)
    outcome = SyncRun.Outcome.DONE


class ActivityFactory(DjangoModelFactory):
    """Activity in the current hour."""

    class Meta:
        model = Activity

    integration = factory.SubFactory(IntegrationFactory)
    bucket = factory.SubFactory(BucketFactory)
    hour = factory.LazyFunction(lambda: hour_of(timezone.now()))


class ProcessFactory(DjangoModelFactory):
    """A healthy worker that was started an hour ago."""

    class Meta:
        model = Process

    name = factory.Sequence(lambda n: f"process{n}")
    kind = Process.Kind.WORKER
    host = "here"
    node = factory.LazyAttribute(lambda it: f"{it.name}@{it.host}")
    seen_at = factory.LazyFunction(timezone.now)
    started_at = factory.LazyAttribute(lambda it: it.seen_at - timedelta(hours=1))


def newly_wanted(folder, count, *, version=2, draft=False):
    """Add `count` newly wanted emails to a folder. `version` is the first version of the fixed rules that wants them."""
    for _ in range(count):
        item = MailboxItemFactory(folder=folder, verdict=NEWLY_WANTED, comment_id=uuid4().hex)
        NewlyWanted.objects.create(mailbox=folder.mailbox, key=item.comment_id, version=version, draft=draft)
