"""Many mailboxes at once: all of a list, or none of it."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from mailboxes.models import Mailbox
from tests.factories import BucketFactory, IntegrationFactory, MailboxFactory


@pytest.fixture
def integration(db):
    return IntegrationFactory()


def add(admin, integration, **fields):
    bucket = BucketFactory()
    return admin.post(reverse("mailbox-many", args=[integration.pk]), {"bucket_choice": str(bucket.pk), **fields})


def test_a_pasted_list_makes_mailboxes_with_the_same_filters(admin, integration):
    answer = add(admin, integration, addresses="a@x.example\nb@x.example,bank/other\n", folder_deny="Inbox/Private")
    assert answer.status_code == 302
    made = {box.address: box for box in Mailbox.objects.all()}
    assert set(made) == {"a@x.example", "b@x.example"}
    assert str(made["b@x.example"].bucket) == "bank/other"
    assert all(box.folder_deny == [["Inbox", "Private"]] for box in made.values())


def test_a_file_does_the_same(admin, integration):
    add(admin, integration, file=SimpleUploadedFile("boxes.csv", b"address;bucket\nc@x.example;bank/desks\n"))
    assert Mailbox.objects.get().address == "c@x.example"


@pytest.mark.parametrize("bad", ["nobody", "a@x.example", "THERE@x.example"])
def test_one_bad_line_adds_nothing_and_is_named(admin, integration, bad):
    MailboxFactory(integration=integration, address="there@x.example")
    page = add(admin, integration, addresses=f"a@x.example\n{bad}").content.decode()
    assert "Line 2:" in page
    assert Mailbox.objects.count() == 1


def test_an_empty_list_says_what_to_do(admin, integration):
    assert "Paste the addresses, or choose a file." in add(admin, integration).content.decode()


def test_a_file_that_is_too_large_is_refused_whole_and_never_read_to_a_part(admin, integration):
    lines = b"".join(b"box%d@x.example;bank/desks;%s\n" % (number, b"x" * 500) for number in range(4_500))
    page = add(admin, integration, file=SimpleUploadedFile("export.csv", lines)).text
    assert "The file is larger than 2 MB." in page
    assert not Mailbox.objects.exists()


def test_of_very_many_bad_lines_it_is_told_how_many_and_from_where_on(admin, integration):
    page = add(admin, integration, addresses="nobody\n" * 150).text
    assert "Line 100:" in page
    assert "And 50 more, from line 101 on. Nothing was added yet." in page


def test_a_list_that_is_none_is_named_and_loses_nothing_of_what_was_typed(admin, integration):
    page = add(admin, integration, addresses='a@x.example\n"b@x.example\n' + "c@x.example\n" * 15_000).text
    assert "Line 2: a quotation mark is not closed" in page
    assert page.count("c@x.example") == 15_000
