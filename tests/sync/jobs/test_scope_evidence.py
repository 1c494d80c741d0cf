"""Over hours of polling, refusals show whether one mailbox or the whole connection is at fault."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from integrations import errors
from integrations.models import Integration
from mailboxes.models import Mailbox
from operations import integration_actions
from sync.jobs import scheduling, sign_in_budget, verification
from sync.models import Account, MailboxState, SyncRun
from tests.actors import ADMIN
from tests.mails import mail
from tests.sync.world import World

ALWAYS = 10_000
REFUSED = {
    "403": errors.EwsDisabled("HTTP 403"),
    "403 of Exchange Online": errors.EwsBlockedOnline("HTTP 403"),
    "a version": errors.VersionRefused("ErrorInvalidServerVersion"),
    "a wrong endpoint": errors.EndpointWrong("HTTP 404"),
    "a permission of Graph": errors.PermissionMissing("HTTP 403"),
    "an invalid request": errors.ExchangeFailed("ErrorInvalidRequest"),
}


@pytest.fixture
def four(world: World) -> list[Mailbox]:
    return [world.mailbox(f"m{number}@bank.example") for number in range(4)]


def refuse(world: World, mailbox: Mailbox, error: Exception, times: int = ALWAYS) -> None:
    world.mailboxes[mailbox.address].fail("folders", error, times=times)


def polls(world: World, count: int) -> None:
    """Poll `count` times. Each time, queue the due mailboxes and run the queued syncs, until no sync has queued another one."""
    for _ in range(count):
        world.clock.turn(seconds=67)
        queue: list[int] = []
        scheduling.dispatch(queue.append, world.clock)
        while queue:
            mailbox = Mailbox.objects.select_related("integration").get(pk=queue.pop(0))
            if world.run(mailbox) is not None:
                scheduling.queue_next(mailbox, queue.append, world.clock)


def missed(world: World, mailbox: Mailbox, count: int) -> int:
    """Return how many of `count` polls a mailbox missed."""
    return count - SyncRun.objects.filter(mailbox=mailbox, outcome="done").count()


# ---- refusals after sign-in ---------------------------------------------------------------------------------------------


@pytest.mark.long
@pytest.mark.parametrize(
    "error",
    [
        pytest.param(error, id=name, marks=[pytest.mark.long] if number else [])
        for number, (name, error) in enumerate(REFUSED.items())
    ],
)
def test_while_one_mailbox_is_always_refused_its_neighbours_miss_no_poll(world: World, four, error):
    refuse(world, four[0], error)
    polls(world, 72)
    assert [missed(world, mailbox, 72) for mailbox in four[1:]] == [0, 0, 0]
    assert MailboxState.objects.get(pk=four[0].pk).error_kind == error.kind
    assert not Integration.objects.get().is_held


def test_a_second_mailbox_refused_within_ten_minutes_opens_the_circuit_breaker(world: World, four):
    refuse(world, four[0], errors.EwsDisabled("HTTP 403"))
    refuse(world, four[1], errors.EwsDisabled("HTTP 403"))
    world.sync(four[0])
    assert not Integration.objects.get().is_held
    world.clock.turn(minutes=9)
    world.sync(four[1])
    assert Integration.objects.get().held_kind == "unknown_forbidden_error"


def test_a_second_mailbox_refused_after_ten_minutes_opens_no_circuit_breaker(world: World, four):
    for mailbox in four[:2]:
        refuse(world, mailbox, errors.EwsDisabled("HTTP 403"))
        world.sync(mailbox)
        world.clock.turn(minutes=11)
    assert not Integration.objects.get().is_held


def test_a_mailbox_that_worked_between_two_refusals_shows_that_the_connection_works(world: World, four):
    refuse(world, four[0], errors.EwsDisabled("HTTP 403"))
    refuse(world, four[1], errors.EwsDisabled("HTTP 403"))
    for mailbox in (four[0], four[2], four[1]):
        world.sync(mailbox)
        world.clock.turn(seconds=1)
    assert not Integration.objects.get().is_held


def test_one_mailbox_that_works_closes_the_circuit_breaker_and_all_others_become_due(world: World, four):
    for mailbox in four:
        refuse(world, mailbox, errors.EwsDisabled("HTTP 403"), times=2)
    polls(world, 1)
    held = Integration.objects.get()
    assert held.is_held
    assert held.held_until - world.clock() == timedelta(seconds=15)
    for mailbox in four:
        world.mailboxes[mailbox.address].faults.clear()
    world.clock.turn(seconds=16)
    (probe,) = world.due()
    assert probe in {four[2].pk, four[3].pk}, "a mailbox that was not refused itself"
    world.sync(Mailbox.objects.get(pk=probe))
    assert not Integration.objects.get().is_held
    assert set(world.due()) == {mailbox.pk for mailbox in four} - {probe}


def test_the_circuit_breaker_stays_open_while_every_trial_is_refused(world: World, four):
    for mailbox in four:
        refuse(world, mailbox, errors.EwsDisabled("HTTP 403"))
    polls(world, 120)
    assert Integration.objects.get().is_held
    assert SyncRun.objects.count() < 25, "a few half-open trials, and not one sync per poll"


def test_a_refusal_of_the_only_mailbox_of_a_connection_opens_no_circuit_breaker(world: World):
    desk = world.mailbox()
    refuse(world, desk, errors.EwsDisabled("HTTP 403"))
    world.sync(desk)
    assert not Integration.objects.get().is_held
    assert MailboxState.objects.get().next_sync_at - world.clock() == timedelta(minutes=20)


# ---- refused passwords --------------------------------------------------------------------------------------------------


@pytest.mark.long
def test_while_the_sign_in_for_one_mailbox_is_always_refused_its_neighbours_miss_at_most_two_polls(world: World, four):
    refuse(world, four[0], errors.SignInRefused("HTTP 401"))
    polls(world, 72)
    assert max(missed(world, mailbox, 72) for mailbox in four[1:]) <= 2
    state = MailboxState.objects.get(pk=four[0].pk)
    assert state.refused_alone
    tries = SyncRun.objects.filter(mailbox=four[0]).count()
    assert 3 <= tries <= 1 + 72 * 67 / 1200 + 1, "it is retried slowly"
    assert not Integration.objects.get().is_held


def test_the_half_open_trial_uses_a_new_sign_in(world: World, four):
    refuse(world, four[0], errors.SignInRefused("HTTP 401"))
    polls(world, 1)
    (trial,) = world.signed_in_anew
    assert trial != four[0].address


def test_a_sync_over_an_open_connection_does_not_show_that_the_password_is_right(world: World, four):
    around = world.open_source

    def meanwhile(integration, address):
        # During this sync, another worker syncs the first mailbox, whose sign-in is refused.
        if address == four[1].address and not Integration.objects.get().is_held:
            world.open_source = around
            refuse(world, four[0], errors.SignInRefused("HTTP 401"))
            world.run(four[0])
        return around(integration, address)

    world.open_source = meanwhile
    world.run(four[1])
    assert Integration.objects.get().is_held


def test_after_two_refused_sign_ins_no_other_mailbox_signs_in(world: World, four):
    for mailbox in four:
        refuse(world, mailbox, errors.SignInRefused("HTTP 401"))
    polls(world, 10)
    assert SyncRun.objects.count() == 2
    assert Integration.objects.get().is_held
    assert not MailboxState.objects.filter(refused_alone=True).exists()


def test_a_wrong_password_is_tried_twice_and_then_at_most_three_times_an_hour(world: World, four):
    for mailbox in four:
        refuse(world, mailbox, errors.SignInRefused("HTTP 401"))
    polls(world, 220)
    began = [run.started_at for run in SyncRun.objects.order_by("started_at")]
    assert_within_budget(began)
    assert len(began) >= 2 + 3 * 2


def assert_within_budget(times) -> None:
    first, minute, hour = times[0], timedelta(minutes=1), timedelta(hours=1)
    assert sum(at < first + minute for at in times) <= 2
    later = [at for at in times if at >= first + minute]
    for at in later:
        assert sum(at <= other < at + hour for other in later) <= 3


def test_when_the_password_works_again_all_mailboxes_sync_at_once(world: World, four):
    for mailbox in four:
        refuse(world, mailbox, errors.SignInRefused("HTTP 401"))
    polls(world, 10)
    for mailbox in four:
        world.mailboxes[mailbox.address].faults.clear()
    polls(world, 11)
    assert not Integration.objects.get().is_held
    assert not MailboxState.objects.filter(failures__gt=0).exists()
    assert not Account.objects.exists()
    assert not MailboxState.objects.filter(refused_alone=True).exists()


def test_a_trial_whose_mailbox_may_not_be_read_still_shows_that_the_password_is_right(world: World):
    desk, other = world.mailbox("a@bank.example"), world.mailbox("b@bank.example")
    refuse(world, desk, errors.SignInRefused("HTTP 401"))
    refuse(world, other, errors.AccessDenied())
    world.run(desk)
    assert world.due() == [other.pk]
    world.sync(other)
    assert not Integration.objects.get().is_held
    assert MailboxState.objects.get(pk=desk.pk).refused_alone


def test_a_trial_that_fails_with_another_error_closes_no_circuit_breaker_and_another_trial_follows(world: World, four):
    refuse(world, four[0], errors.SignInRefused("HTTP 401"))
    world.run(four[0])
    (probe,) = world.due()
    refuse(world, Mailbox.objects.get(pk=probe), errors.ExchangeFailed("HTTP 500"), times=1)
    world.sync(Mailbox.objects.get(pk=probe))
    assert Integration.objects.get().is_held
    world.clock.turn(minutes=1)
    (another,) = world.due()
    assert another not in {probe, four[0].pk}


def test_a_mailbox_that_was_refused_alone_works_again_when_its_sign_in_is_accepted(world: World, four):
    refuse(world, four[0], errors.SignInRefused("HTTP 401"))
    polls(world, 3)
    world.mailboxes[four[0].address].faults.clear()
    polls(world, 20)
    state = MailboxState.objects.get(pk=four[0].pk)
    assert (state.failures, state.refused_alone) == (0, False)


# ---- one account in several integrations ------------------------------------------------------------------------------


@pytest.fixture
def shared(world: World):
    """A mailbox of a second integration, which signs in with the same account and password."""
    twin = Integration.objects.create(
        project="bank", name="other", endpoint=world.integration.endpoint, username="U", password="p", enabled=True,
        disabled_reason="",
    )  # fmt: skip
    box = world.mailbox("elsewhere@bank.example")
    Mailbox.objects.filter(pk=box.pk).update(integration=twin)
    return Mailbox.objects.get(pk=box.pk)


@pytest.mark.parametrize("spelling", ["U", "BANK\\U", "bank.example\\u", "u@bank.example"])
def test_refused_sign_ins_of_an_account_are_counted_over_all_its_integrations(world: World, four, shared, spelling):
    Integration.objects.filter(name="other").update(username=spelling)
    for mailbox in [*four, shared]:
        refuse(world, mailbox, errors.SignInRefused("HTTP 401"))
    polls(world, 220)
    assert_within_budget([run.started_at for run in SyncRun.objects.order_by("started_at")])


def test_an_integration_with_another_password_of_the_same_account_keeps_syncing(world: World, four, shared):
    twin = Integration.objects.get(name="other")
    twin.password = "right"
    twin.save()
    for mailbox in four:
        refuse(world, mailbox, errors.SignInRefused("HTTP 401"))
    polls(world, 30)
    assert missed(world, shared, 30) == 0


@pytest.mark.long
def test_an_integration_that_waits_for_its_account_syncs_when_the_account_works(world: World, four, shared):
    for mailbox in four:
        refuse(world, mailbox, errors.SignInRefused("HTTP 401"))
    polls(world, 2)
    world.run(shared)
    for mailbox in four:
        world.mailboxes[mailbox.address].faults.clear()
    polls(world, 80)
    assert not Account.objects.exists()
    assert MailboxState.objects.get(pk=shared.pk).up_to_date


# ---- admins -----------------------------------------------------------------------------------------------------------


def test_start_with_another_password_begins_a_new_budget(world: World, four):
    for mailbox in four:
        refuse(world, mailbox, errors.SignInRefused("HTTP 401"), times=2)
    polls(world, 2)
    world.integration.password = "another"
    world.integration.save()
    integration_actions.start(ADMIN, world.integration)
    assert not Account.objects.exists()


def test_start_with_the_same_password_begins_no_new_budget(world: World, four):
    for mailbox in four:
        refuse(world, mailbox, errors.SignInRefused("HTTP 401"))
    times = []
    for _ in range(30):
        integration_actions.start(ADMIN, world.integration)
        polls(world, 1)
    times = [run.started_at for run in SyncRun.objects.order_by("started_at")]
    assert_within_budget(times)


def press_test(world: World, error: errors.IntegrationError) -> errors.IntegrationError | None:
    """Run a connection test that fails with `error`, and return the error that an admin sees."""

    def fails() -> None:
        raise error

    try:
        with sign_in_budget.counting(world.integration, world.clock):
            fails()
    except errors.IntegrationError as shown:
        return shown
    return None


def test_repeated_connection_tests_are_counted_and_then_refused(world: World):
    refusal = errors.SignInRefused("HTTP 401")
    shown = []
    for _ in range(30):
        shown.append(press_test(world, refusal))
        world.clock.turn(seconds=10)
    assert shown.count(refusal) == 2 + 3
    assert isinstance(shown[-1], errors.SignInPaused)
    assert "until 09:" in str(shown[-1])


def test_a_password_that_was_not_refused_yet_may_always_be_tested(world: World):
    refusal = errors.SignInRefused("HTTP 401")
    for _ in range(3):
        press_test(world, refusal)
    assert press_test(world, refusal) is not refusal
    world.integration.password = "another"
    assert press_test(world, refusal) is refusal


def test_a_refused_sign_in_of_a_verification_is_counted_and_opens_the_circuit_breaker(world: World, four):
    row = verification.begin(four[0], repair=False, clock=world.clock)
    world.sync(four[0])
    world.mailboxes[four[0].address].fail("changes", errors.SignInRefused("HTTP 401"))
    verification.run_slice(row.pk, world.around())
    assert Integration.objects.get().is_held
    assert len(Account.objects.get().refused) == 1


# ---- data and queries ---------------------------------------------------------------------------------------------------


def test_the_row_of_an_account_does_not_contain_its_name(world: World, four):
    refuse(world, four[0], errors.SignInRefused("HTTP 401"))
    world.run(four[0])
    row = Account.objects.get()
    assert "u" not in {row.pk, *row.refused[0].values()}
    assert len(row.pk) == 64


def test_a_healthy_sync_runs_no_extra_query_for_the_sign_in_budget(world: World, four):
    world.mailboxes[four[0].address].deliver(mail("a"))
    world.sync(four[0])
    with CaptureQueriesContext(connection) as seen:
        world.sync(four[0])
    about = [query["sql"] for query in seen.captured_queries if "sync_account" in query["sql"]]
    assert len(about) == 1
    assert "mailboxes_mailbox" in about[0], "it is part of the query for the mailbox"
