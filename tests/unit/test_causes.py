"""What was written down when something stopped leads back to its error."""

import pytest

from integrations.catalogue import entries
from integrations.errors import IntegrationError
from sync.causes import kind_of


def every_error(of: type[IntegrationError] = IntegrationError):
    for error in of.__subclasses__():
        yield error
        yield from every_error(error)


@pytest.mark.parametrize("error", sorted(set(every_error()), key=lambda error: error.__name__))
def test_the_text_of_every_error_leads_to_its_kind(error):
    known = {entry.kind for entry in entries()}
    if error.kind in known and error.__module__ == "integrations.errors":
        assert kind_of(str(error())) == error.kind
        assert kind_of(str(error("HTTP 403"))) == error.kind


def test_a_text_of_nobody_leads_nowhere():
    assert kind_of("Not entered yet: Client secret.") == ""
    assert kind_of("") == ""
