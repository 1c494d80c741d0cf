"""The text of a stored error is made from two columns: its kind and its detail. The text itself is not stored."""

import pytest

from integrations import errors
from integrations.errors import Side, all_errors, error_of, sentence


def test_no_two_errors_have_the_same_kind():
    kinds = [error.kind for error in all_errors()]
    assert len(kinds) == len(set(kinds))


@pytest.mark.parametrize("error", list(all_errors()), ids=lambda error: error.kind)
def test_the_sentence_of_kind_and_detail_equals_the_text_of_the_error(error):
    for example in (error(), error("HTTP 403")):
        assert sentence(example.kind, example.detail) == str(example)


def test_without_a_kind_the_detail_is_the_sentence():
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
def test_each_error_has_one_side(error, side):
    assert error.side() is side


def test_a_kind_that_begins_with_the_name_of_a_side_is_on_that_side():
    for error in all_errors():
        if error.kind.startswith(("exchange_", "reinfer_")):
            assert error.side() == error.kind.partition("_")[0]
