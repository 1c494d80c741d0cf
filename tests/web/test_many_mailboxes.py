"""Add many mailboxes from a list. If one line is invalid, no mailbox is added."""

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


def test_mailboxes_of_a_pasted_list_have_the_same_filters(admin, integration):
    response = add(admin, integration, addresses="a@x.example\nb@x.example,bank/other\n", folder_deny="Inbox/Private")
    assert response.status_code == 302
    by_address = {box.address: box for box in Mailbox.objects.all()}
    assert set(by_address) == {"a@x.example", "b@x.example"}
    assert str(by_address["b@x.example"].bucket) == "bank/other"
    assert all(box.folder_deny == [["Inbox", "Private"]] for box in by_address.values())


def test_mailboxes_are_added_from_a_csv_file(admin, integration):
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


def test_a_quotation_mark_that_is_not_closed_is_named_and_what_was_typed_stays(admin, integration):
    typed = '"first@x.example\n' + "".join(f"box{number}@x.example\n" for number in range(4_999)) + "x" * 140_000
    response = add(admin, integration, addresses=typed)
    assert response.status_code == 200
    assert [text.split(":")[0] for text in response.context["form"].errors["addresses"]] == ["Line 1", "Line 5001"]
    assert response.context["form"]["addresses"].value() == typed


def test_a_file_that_is_too_long_is_refused_by_name_and_not_read_in_part(admin, integration):
    long = b"".join(b"box%d@x.example,,%s\n" % (number, b"x" * 1_000) for number in range(1_200))
    response = add(admin, integration, file=SimpleUploadedFile("boxes.csv", long))
    (text,) = response.context["form"].errors["file"]
    assert text.startswith("boxes.csv has 1,")
    assert "addresses" not in response.context["form"].errors
    assert not Mailbox.objects.exists()


def test_the_first_500_bad_lines_are_named_in_order_and_the_others_counted(admin, integration):
    MailboxFactory(integration=integration, address="there@x.example")
    bad = ["nobody", "there@x.example", *["nobody"] * 518]
    errors = list(add(admin, integration, addresses="\n".join(bad)).context["form"].errors["addresses"])
    assert [text.split(":")[0] for text in errors[:500]] == [f"Line {number}" for number in range(1, 501)]
    assert errors[500] == "And 20 more lines with errors, from line 501 on."
