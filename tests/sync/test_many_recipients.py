"""Tests that participant filters apply to all recipients of an email, even to recipients that the comment omits."""

import pytest

from conversion.limits import DEFAULT_LIMITS
from tests.mails import mail
from tests.sync.world import World


@pytest.fixture
def world(db):
    return World()


@pytest.mark.parametrize("denied", [{"participant_deny": ["eve@denied.example"]}, {"domain_deny": ["denied.example"]}])
def test_an_email_of_three_thousand_recipients_is_not_pushed_if_only_the_last_one_is_denied(world: World, denied):
    people = ", ".join(f"p{number}@south.example" for number in range(2999))
    desk, other = world.mailbox(**denied), world.mailbox("other@bank.example", bucket="other")
    for mailbox in (desk, other):
        world.mailboxes[mailbox.address].deliver(mail("a", to=f"{people}, eve@denied.example"))
    assert world.sync(desk).not_wanted == 1
    world.assert_all_is_well([])
    world.sync(other)
    world.assert_all_is_well(["a"], "other")
    assert len(world.comment("a", "other").message.to) == DEFAULT_LIMITS.recipients
