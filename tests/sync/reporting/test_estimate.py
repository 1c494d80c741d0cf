"""The estimate of a first sync uses the totals of folders, and the pages that can be read within a time limit."""

from dataclasses import replace
from datetime import timedelta

from mailboxes.rules import Rules
from sync.reporting.estimate import Estimate, estimate
from tests.fakes.exchange import FakeMailbox, FakeSource
from tests.mails import NOON, mail


def box(inbox=0, junk=0, old=0):
    made = FakeMailbox("desk@bank.example")
    for number in range(inbox):
        made.deliver(mail(f"m{number}"), received=NOON)
    for number in range(old):
        made.deliver(mail(f"o{number}"), received=NOON - timedelta(days=400))
    for number in range(junk):
        made.deliver(mail(f"j{number}"), "Junk Email")
    return made


def estimated(mailbox, rules=None, seconds=1000):
    ticks = iter(range(10_000))
    return estimate(FakeSource(mailbox, page_size=10), rules or Rules(), monotonic=lambda: next(ticks), until=seconds)


def test_only_mail_of_wanted_folders_is_counted():
    found = estimated(box(inbox=25, junk=7))
    assert (found.emails, found.elsewhere, found.is_exact) == (25, 7, True)


def test_mail_before_the_start_time_is_not_counted():
    assert estimated(box(inbox=5, old=20), Rules(start=NOON - timedelta(days=1))).emails == 5


def test_if_time_runs_out_the_estimate_is_extrapolated():
    found = estimated(box(inbox=100), seconds=3)
    assert not found.is_exact
    assert found.looked_at < 100
    assert found.emails == 100


def test_without_any_time_everything_counts_as_wanted():
    assert estimated(box(inbox=30), seconds=0) == Estimate(unseen=30)
    assert estimated(box(inbox=30), seconds=0).emails == 30


def test_drafts_are_counted_only_outside_of_the_drafts_folder():
    made = box(inbox=3)
    made.deliver(mail("d"), "Drafts", draft=True)
    folder = made.folder("Inbox")
    first = next(iter(folder.items))
    folder.items[first] = replace(folder.items[first], draft=True)
    assert estimated(made, Rules(folder_allow=(("Inbox",), ("Drafts",)))).emails == 3


def test_a_folder_that_cannot_be_read_is_estimated_by_its_number_of_items():
    mailbox = box(inbox=5)
    mailbox.create_folder("Claims")
    for number in range(7):
        mailbox.deliver(mail(f"c{number}"), "Claims")
    mailbox.forbid_folder("Claims")
    found = estimated(mailbox)
    assert (found.emails, found.looked_at, found.unseen) == (12, 5, 7)
