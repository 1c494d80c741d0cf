"""What a page says of an error is made of two columns: its kind, and what the other side said. No sentence of ours is kept."""

import pytest

from integrations import errors
from integrations.errors import Side, all_errors, error_of, sentence


def test_no_two_errors_have_the_same_kind():
    kinds = [error.kind for error in all_errors()]
    assert len(kinds) == len(set(kinds))


@pytest.mark.parametrize("error", list(all_errors()), ids=lambda error: error.kind)
def test_kind_and_detail_of_an_error_say_what_the_error_says(error):
    for met in (error(), error("HTTP 403")):
        assert sentence(met.kind, met.detail) == str(met)


def test_what_has_no_kind_says_its_own_words():
    assert sentence("", "Not entered yet: Client secret.") == "Not entered yet: Client secret."
    assert sentence("", "") == ""
    assert error_of("nobody_s") is None


@pytest.mark.parametrize(
    ("error", "side"),
    [
        (errors.ExchangeTimedOut, Side.EXCHANGE),
        (errors.MailboxMoving, Side.EXCHANGE),
        (errors.ClientSecretExpired, Side.EXCHANGE),
        (errors.ReinferTimedOut, Side.REINFER),
        (errors.TooManyRefused, Side.REINFER),
        (errors.BucketNameWrong, Side.REINFER),
        (errors.DatabaseFailed, Side.PRODUCT),
        (errors.IntegrationError, Side.PRODUCT),
    ],
)
def test_an_error_is_on_one_side(error, side):
    assert error.side() is side


def test_what_begins_with_the_name_of_a_side_is_on_that_side():
    for error in all_errors():
        if error.kind.startswith(("exchange_", "reinfer_")):
            assert error.side() == error.kind.partition("_")[0]
