"""Times in requests are converted to UTC or rejected, so that the database can store them."""

import base64
import json
from datetime import UTC, datetime

import pytest

from api.moments import moment
from tests import factories

FAR_WEST = "3247-02-06T06:29:09-20:26"


def test_a_time_with_an_extreme_offset_is_converted_to_utc():
    assert moment(FAR_WEST) == datetime(3247, 2, 7, 2, 55, 9, tzinfo=UTC)
    assert moment(FAR_WEST).utcoffset().total_seconds() == 0


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+20:00", "9999-12-31T23:59:59-20:00", "2026-03-01", "yesterday"])
def test_an_invalid_time_is_rejected(text):
    with pytest.raises(ValueError, match="a time like"):
        moment(text)


@pytest.mark.django_db
@pytest.mark.parametrize("address", ["/api/v1/errors?since=", "/api/v1/history?since=", "/api/v1/runs?since="])
def test_a_filter_accepts_a_time_with_an_extreme_offset(api, address):
    assert api.get(address + FAR_WEST).status_code == 200


@pytest.mark.django_db
def test_an_extreme_time_in_a_cursor_causes_no_server_error(api):
    factories.SyncRunFactory()
    for when in (FAR_WEST, "0001-01-01T00:00:00+20:00"):
        text = json.dumps(["-started_at", when, "1", False])
        cursor = base64.urlsafe_b64encode(text.encode()).decode()
        answer = api.get("/api/v1/runs", {"cursor": cursor, "ordering": "-started_at"})
        assert answer.status_code in {200, 400}
