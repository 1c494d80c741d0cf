"""The page *Errors*: causes, remedy and links of an error."""

import pytest

pytestmark = pytest.mark.django_db


def test_an_error_has_causes_a_remedy_and_links_to_the_documentation_of_the_vendor(admin_client):
    page = admin_client.get("/errors/").content.decode()
    entry = page.partition('id="ews_blocked_online"')[2].partition("</article>")[0]
    assert "Likely causes" in entry
    assert "What to do" in entry
    assert 'href="https://learn.microsoft.com/' in entry
