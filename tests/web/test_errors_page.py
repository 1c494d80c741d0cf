"""The page *Errors*: where every error that is shown anywhere leads to."""

import pytest

pytestmark = pytest.mark.django_db


def test_an_error_tells_causes_and_what_to_do_and_leads_to_what_its_maker_writes(admin_client):
    page = admin_client.get("/errors/").content.decode()
    entry = page.partition('id="ews_blocked_online"')[2].partition("</article>")[0]
    assert "Likely causes" in entry
    assert "What to do" in entry
    assert 'href="https://learn.microsoft.com/' in entry
