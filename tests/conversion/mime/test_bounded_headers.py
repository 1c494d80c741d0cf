"""Content-* headers are cut after 199 parameters, because the standard library takes quadratic time for many parameters."""

from email import message_from_bytes

import pytest

from conversion.mime.bounded import BoundedHeaders


def read(value):
    return message_from_bytes(b"Content-Type: " + value + b"\r\n\r\nx", policy=BoundedHeaders())


def test_only_the_first_199_parameters_are_read():
    message = read(b"text/plain" + b"; a=b" * 150 + b"; charset=utf-8" + b";" * 5_000 + b"; name=c")
    assert message.get_param("charset") == "utf-8"
    assert message.get_param("name") is None
    assert message["Content-Type"].count(";") == 199


@pytest.mark.parametrize(
    "value", ["text/plain", 'text/plain; charset=utf-8; name="a;b"', "text/plain" + "; name*9*=a" * 199]
)
def test_a_usual_header_stays_as_it_is(value):
    assert read(value.encode())["Content-Type"] == value
