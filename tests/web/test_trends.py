"""The charts of the overview, and the AI units of a month."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree

import pytest
from django.urls import reverse
from django.utils import timezone

from sync.models import LedgerEntry
from sync.reporting import trends
from sync.reporting.spans import Span
from tests import factories

NOW = datetime(2026, 3, 29, 14, 20, tzinfo=UTC)
HOUR = NOW.replace(minute=0)
EVIL = "<img src=x onerror=alert(1)>"


@pytest.fixture
def page(admin):
    return lambda span="": admin.get(reverse("overview"), {"span": span} if span else {}).text


def active(hours: float = 0, **values: object) -> None:
    factories.ActivityFactory(hour=HOUR - timedelta(hours=hours), **values)


def test_rows_of_one_hour_are_one_bar(db):
    active(created=3, updated=1, longest_wait=20)
    active(created=4, set_aside=1, longest_wait=50)
    active(2, created=1)
    result = trends.trends(Span.DAY, NOW)
    assert result.rows[-1][1] == trends.MailTally(HOUR, 7, 1, 1, 50)
    assert [result.total.created, result.total.updated, result.total.set_aside, result.total.longest_wait] == [
        8,
        1,
        1,
        50,
    ]
    assert result.emails.scale == ["10", "5", "0"]
    assert result.delay.scale == ["1 min", "30 s", "0"]
    assert result.emails.hovers[-1].text == "Sun 29 Mar, 14:00–15:00: 7 new, 1 updated"
    assert result.delay.hovers[-3].text.endswith("no new email")


def test_a_longer_span_reaches_further_back_and_adds_hours_up(db):
    active(0, created=1)
    active(2, created=2)
    active(3 * 24, created=4)
    active(20 * 24, created=8)
    active(40 * 24, created=16)
    assert [trends.trends(span, NOW).total.created for span in Span] == [3, 7, 15]
    month = trends.trends(Span.MONTH, NOW)
    assert month.rows[-1][1].created == 3
    assert month.busiest is not None
    assert month.busiest.created == 8


def test_days_are_those_of_the_time_zone(db):
    active(15, created=1)  # 23:00 in London, the next day in Berlin
    with timezone.override("Europe/Berlin"):
        assert trends.trends(Span.MONTH, NOW).rows[-1][1].created == 1
    assert trends.trends(Span.MONTH, NOW).rows[-2][1].created == 1


def test_a_chart_says_in_words_what_it_shows(db):
    active(created=1200, updated=30, longest_wait=200)
    result = trends.trends(Span.WEEK, NOW)
    assert "1,200 new and 30 updated in the last 7 days" in result.emails_described
    assert "Longest: 3 min 20 s" in result.delay_described


def test_a_delay_of_zero_has_a_bar_and_an_hour_without_new_emails_has_none(db):
    active(created=1, longest_wait=0)
    active(1, created=1)
    assert trends.trends(Span.DAY, NOW).delay.series[0][1].count("M") == 1


def test_units_of_a_bucket_are_what_the_ledger_counts_this_month(db):
    desks, sales, _ = (factories.BucketFactory(name=name) for name in ("desks", "sales", "unused"))
    factories.LedgerEntryFactory.create_batch(4, bucket=desks)
    factories.LedgerEntryFactory(bucket=sales)
    factories.LedgerEntryFactory(bucket=desks, billed=False)
    factories.LedgerEntryFactory(bucket=desks, state="intended")
    LedgerEntry.objects.update(created_at=NOW)
    old = factories.LedgerEntryFactory(bucket=desks)
    LedgerEntry.objects.filter(pk=old.pk).update(created_at=NOW - timedelta(days=30))
    lines = trends.units_by_bucket(NOW)
    assert [(str(line.bucket), line.units, line.width) for line in lines] == [
        ("operations/desks", 4, 100.0), ("operations/sales", 1, 25.0), ("operations/unused", 0, 0),
    ]  # fmt: skip


def test_buckets_with_the_fewest_units_share_one_line(db):
    factories.LedgerEntryFactory.create_batch(12)
    LedgerEntry.objects.update(created_at=NOW)
    lines = trends.units_by_bucket(NOW)
    assert len(lines) == trends.SHOWN
    assert (lines[-1].bucket, lines[-1].units, lines[-1].others) == (None, 5, 5)


def test_the_overview_draws_charts_and_has_their_numbers_as_a_table(page):
    mailbox = factories.MailboxFactory()
    factories.ActivityFactory(
        integration=mailbox.integration, bucket=mailbox.bucket, created=1234, set_aside=7, longest_wait=95
    )
    text = page()
    assert text.count('<svg class="drawing"') == 2
    assert "1,234 new, 0 updated" in text
    table = text.split('id="trends-table"')[1].split("</details>")[0]
    assert all(f">{value}</td>" in table for value in ("1,234", "7", "1 min 35 s"))
    assert table.count("<tr>") == 25


def test_a_chart_has_a_title_a_description_and_valid_markup(page):
    factories.ActivityFactory(created=3, bucket=factories.MailboxFactory().bucket)
    drawing = _drawings(page("month"))[0]
    assert drawing.get("role") == "img"
    assert drawing.find("title").get("id") == drawing.get("aria-labelledby")
    assert drawing.find("desc").get("id") == drawing.get("aria-describedby")
    assert drawing.find("desc").text.startswith("3 new and 0 updated in the last 30 days")


def _drawings(text):
    parts = text.split('<svg class="drawing"')[1:]
    return [ElementTree.fromstring(f"<svg {part.split('</svg>')[0]}</svg>") for part in parts]


@pytest.mark.parametrize(("span", "step"), [("", "hour"), ("day", "hour"), ("week", "6 hours"), ("month", "day")])
def test_the_tabs_choose_how_far_the_charts_reach(page, span, step):
    factories.ActivityFactory(created=3, bucket=factories.MailboxFactory().bucket)
    text = page(span)
    assert f"Emails per {step}<" in text
    assert f'href="?span={span or "day"}" aria-current="true"' in text
    assert text.count('id="span-') == 3
    assert text.split('id="live"')[1].count('aria-current="true"') == 1


def test_an_invalid_span_means_a_day_and_is_not_shown_as_markup(page):
    factories.ActivityFactory(created=3, bucket=factories.MailboxFactory().bucket)
    text = page(f'"{EVIL}')
    assert "Emails per hour<" in text
    assert EVIL not in text


def test_a_refresh_shows_the_same_span(admin):
    factories.ActivityFactory(created=3, bucket=factories.MailboxFactory().bucket)
    response = admin.get(reverse("overview") + "?span=week", headers={"HX-Request": "true"})
    assert 'hx-get="/?span=week"' in response.text
    assert "Emails per 6 hours<" in response.text


def test_names_of_buckets_and_destinations_are_text_and_never_markup(page):
    destination = factories.DestinationFactory(name=EVIL)
    mailbox = factories.MailboxFactory(bucket=factories.BucketFactory(name=EVIL, destination=destination))
    factories.ActivityFactory(bucket=mailbox.bucket, created=1)
    text = page()
    assert EVIL not in text
    assert text.count("&lt;img src=x onerror=alert(1)&gt;") >= 2
    assert " style=" not in text


def test_without_any_mail_the_charts_say_what_to_do(page):
    factories.MailboxFactory(integration__stopped=True)
    assert "Press Start on one of them" in page()
    factories.MailboxFactory()
    assert "The chart shows new emails as they arrive" in page()


def test_before_there_is_a_mailbox_the_overview_shows_the_first_steps_and_no_chart(page):
    text = page()
    assert "Add a destination" in text
    assert "Sync delay" not in text


def test_charts_and_costs_take_two_queries_however_much_there_is(db, django_assert_num_queries):
    for hours in range(30):
        active(hours, created=1)
    for span in Span:
        with django_assert_num_queries(1):
            trends.trends(span, NOW)
    with django_assert_num_queries(1):
        [str(line.bucket and line.bucket.destination) for line in trends.units_by_bucket(NOW)]


@pytest.mark.parametrize(
    ("limit", "width", "tone"), [(None, 100, None), (10, 30, "ok"), (3, 100, "bad"), (0, 100, "bad")]
)
def test_the_bar_of_a_bucket_with_a_limit_is_part_of_that_limit(db, limit, width, tone):
    bucket = factories.BucketFactory(monthly_limit=limit)
    for _ in range(3):
        factories.LedgerEntryFactory(bucket=bucket)
    (line,) = trends.units_by_bucket(timezone.now())
    assert (line.width, line.tone) == (width, tone)


def test_the_overview_says_how_much_of_a_limit_is_used(admin):
    bucket = factories.BucketFactory(monthly_limit=4)
    for _ in range(3):
        factories.LedgerEntryFactory(bucket=bucket)
    factories.MailboxFactory(bucket=bucket)
    assert "75 % of its limit" in admin.get(reverse("overview")).text
