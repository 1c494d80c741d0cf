"""Use the code of commit 58a28db to create rows in a database. All values are invented.

No test runs this script, because it imports modules of commit 58a28db. The two dumps in this folder were made as follows:

    git worktree add --detach FOLDER 58a28db && cd FOLDER
    createdb release
    export SECRET_KEY=x DATABASE_URL=postgres:///release    # then again: sqlite:////tmp/release.sqlite3
    export ENCRYPTION_KEYS=$(python -c 'import base64; print(base64.urlsafe_b64encode(b"k" * 32).decode())')
    python manage.py migrate
    python manage.py shell -c "exec(open('…/make_58a28db.py').read())"
    pg_dump --no-owner --no-privileges --inserts release | grep -v '^\\\\' | cat -s > 58a28db.postgresql.sql
    python -c "import sqlite3; print(*sqlite3.connect('/tmp/release.sqlite3').iterdump(), sep='\\n')" > 58a28db.sqlite.sql
"""

# mypy: ignore-errors

from datetime import timedelta

from django.contrib.auth.models import Group, User
from django.test import RequestFactory
from notices.models import Webhook

from access.history import record
from access.models import ApiToken
from integrations.errors import BudgetReached, ClientSecretExpired
from integrations.models import Integration
from mailboxes.models import Bucket
from sync import actions
from sync.models import MailboxState, SetAsideEmail, SyncedFolder
from tests.sync.world import World
from tests.mails import comment_id_of, mail

world = World()
desk, loans, cards, fraud = (world.mailbox(f"{name}@bank.example") for name in ("desk", "loans", "cards", "fraud"))
world.mailbox("legal@bank.example", bucket="legal")
graph = Integration.objects.create(
    project="bank", name="cloud", microsoft_api="graph", auth="oauth2", endpoint="https://graph.microsoft.com",
    tenant_id="bank.example", client_id="11111111-2222-3333-4444-555555555555", client_secret="an invented secret",
    disabled_reason="sync_error", disabled_detail=str(ClientSecretExpired("invalid_client, AADSTS7000222")),
)  # fmt: skip

# Emails that are delivered, one that Re:infer refuses, and one that Exchange cannot return.
for address in ("desk@bank.example", "loans@bank.example"):
    for number in range(5):
        world.mailboxes[address].deliver(mail(f"{address[:4]}{number}"))
broken = world.mailboxes["desk@bank.example"].deliver(mail("broken"))
world.mailboxes["desk@bank.example"].break_item(broken, "ErrorItemCorrupt")
world.mailboxes["desk@bank.example"].deliver(mail("refused"))
with world.every_sink(lambda sink: sink.refuse(comment_id_of("refused"))):
    world.sync_all(rounds=2)

# Dead letters for other reasons, with the texts of commit 58a28db.
folder = SyncedFolder.objects.filter(mailbox=desk).first()
for stage, reason in (
    ("transform", "nested_too_deep: it has more parts within parts than can be read"),
    ("transform", "no_date: it bears neither a date nor a time of arrival"),
    ("worker", "It ended the worker again and again."),
):
    SetAsideEmail.objects.create(
        mailbox=desk, folder=folder, item_id=reason[:12], stage=stage, reason=reason, last_at=world.clock(),
        retry_at=world.clock() + timedelta(days=1),
    )  # fmt: skip

# Mailboxes that a monthly limit, an error or a person stopped, and a bucket with an open circuit breaker.
for mailbox, reason, detail in (
    (cards, "quota", str(BudgetReached("1,000 a month"))),
    (fraud, "sync_error", str(ClientSecretExpired("AADSTS7000222"))),
):
    mailbox.enabled, mailbox.disabled_reason, mailbox.disabled_detail = False, reason, detail
    mailbox.save()
actions.stop_mailbox(loans)
actions.list_again(desk)
Bucket.objects.filter(name="legal").update(
    held_since=world.clock(), held_until=world.clock() + timedelta(hours=1), held_kind=ClientSecretExpired.kind,
    held_detail=str(ClientSecretExpired("AADSTS7000222")), monthly_limit=1000,
)  # fmt: skip
MailboxState.objects.filter(pk=fraud.pk).update(
    failures=3, error_kind=ClientSecretExpired.kind, error_text="AADSTS7000222"
)

# A user, audit entries, an API token and a webhook.
ann = User.objects.create_user("ann", "ann@bank.example")
ann.groups.add(Group.objects.get(name="Administrator"))
request = RequestFactory().get("/")
request.user = ann
for text, about in (("added", world.integration), ("added", desk), ("stopped", loans)):
    record(request, text, changes=[("address", "", "an invented one")], about=about)
ApiToken.objects.create(user=ann, name="an invented token")
Webhook.objects.create(url="https://hooks.bank.example/", secret="another invented secret")
