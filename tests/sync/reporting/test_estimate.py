"""What a first sync will bring is reckoned from what folders and pages tell, within the time there is."""

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


def reckoned(mailbox, rules=None, seconds=1000):
    ticks = iter(range(10_000))
    return estimate(FakeSource(mailbox, page_size=10), rules or Rules(), monotonic=lambda: next(ticks), until=seconds)


def test_all_mail_of_wanted_folders_is_counted_and_what_lies_elsewhere_is_not():
    found = reckoned(box(inbox=25, junk=7))
    assert (found.emails, found.elsewhere, found.is_exact) == (25, 7, True)


def test_mail_before_the_start_time_is_not_counted():
    assert reckoned(box(inbox=5, old=20), Rules(start=NOON - timedelta(days=1))).emails == 5


def test_where_time_is_short_the_rest_is_reckoned_in_proportion():
    found = reckoned(box(inbox=100), seconds=3)
    assert not found.is_exact
    assert found.looked_at < 100
    assert found.emails == 100


def test_without_any_time_everything_counts_as_wanted():
    assert reckoned(box(inbox=30), seconds=0) == Estimate(unseen=30)
    assert reckoned(box(inbox=30), seconds=0).emails == 30


def test_drafts_in_drafts_cost_nothing_and_what_is_marked_so_elsewhere_may_cost():
    made = box(inbox=3)
    made.deliver(mail("d"), "Drafts", draft=True)
    folder = made.folder("Inbox")
    first = next(iter(folder.items))
    folder.items[first] = replace(folder.items[first], draft=True)
    assert reckoned(made, Rules(folder_allow=(("Inbox",), ("Drafts",)))).emails == 3


def test_a_folder_that_cannot_be_read_yet_is_reckoned_and_does_not_end_the_estimate():
    mailbox = box(inbox=5)
    mailbox.create_folder("Claims")
    for number in range(7):
        mailbox.deliver(mail(f"c{number}"), "Claims")
    mailbox.forbid_folder("Claims")
    found = reckoned(mailbox)
    assert (found.emails, found.looked_at, found.unseen) == (12, 5, 7)
