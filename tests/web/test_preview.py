"""The preview of an email on a page: an uploaded file, and a failed email."""

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from tests.factories import DeadLetterFactory, IntegrationFactory, MailboxFactory, SyncedFolderFactory
from tests.mails import mail

MIME = mail(
    "a", body="We agree.\n\nOn Mon, May 4, 2026 at 9:12 AM Ann <ann@north.example> wrote:\n\n> <b>Do you?</b>\n"
)


def upload(client, content, name="a.eml"):
    return client.post(reverse("preview"), {"file": SimpleUploadedFile(name, content)})


def test_an_uploaded_email_is_shown_as_the_comment_it_becomes_with_what_was_cut_and_why(admin):
    response = upload(admin, MIME)
    page = response.content.decode()
    assert "We agree." in page
    assert "quoted-lines" in page
    assert "&lt;b&gt;Do you?&lt;/b&gt;" in page
    assert response["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"", "The file is empty"), (b"\x89PNG\r\n", "no_email"), (b"just words", "no_email")],
)
def test_a_file_that_is_no_email_gets_a_sentence(admin, content, words):
    assert words in upload(admin, content).content.decode()


def test_a_missing_file_is_an_error(admin):
    assert "Choose a file first." in admin.post(reverse("preview")).content.decode()


def test_the_preview_of_a_file_requires_a_log_in(anonymous):
    assert upload(anonymous, MIME).status_code == 302


@pytest.fixture
def set_aside(db):
    mailbox = MailboxFactory(integration=IntegrationFactory(endpoint="https://127.0.0.1:9/EWS/Exchange.asmx"))
    return DeadLetterFactory(mailbox=mailbox, folder=SyncedFolderFactory(mailbox=mailbox), stage="transform")


def test_only_users_who_may_read_mail_see_the_preview_of_a_failed_email(set_aside):
    user = User.objects.create_user("reader", password="x")
    user.groups.add(Group.objects.get(name="Operator"))
    client = Client()
    client.force_login(user)
    mailbox_page, preview = (
        reverse("mailbox", args=[set_aside.mailbox_id]),
        reverse("set-aside-preview", args=[set_aside.pk]),
    )
    assert client.get(preview).status_code == 403
    assert preview not in client.get(mailbox_page).content.decode()
    user.user_permissions.add(Permission.objects.get(codename="preview_email"))
    client.force_login(User.objects.get(pk=user.pk))
    assert preview in client.get(mailbox_page).content.decode()
    assert client.get(preview).status_code == 200


def test_the_preview_of_a_failed_email_reports_that_exchange_cannot_be_reached(admin, set_aside):
    page = admin.get(reverse("set-aside-preview", args=[set_aside.pk])).content.decode()
    assert "cannot be reached" in page or "could not be reached" in page or "refused" in page
