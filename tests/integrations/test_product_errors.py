"""Which exceptions are faults of this process, even if exceptions of libraries wrap them, and which are not."""

from __future__ import annotations

import errno
import socket

import httpx
import pytest
import requests

from integrations.errors import ExchangeUnreachable, OutOfMemory, OutOfResources, ReinferUnreachable, SecretUnreadable
from integrations.product_errors import own_fault


def raised(action) -> BaseException:
    with pytest.raises(BaseException) as caught:  # noqa: PT011  # any exception
        action()
    return caught.value


def no_descriptor(*args, **kwargs):
    raise OSError(errno.EMFILE, "Too many open files")


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE, errno.ENOSPC, errno.EDQUOT])
def test_exhausted_resources_are_a_fault_of_the_process(number):
    assert isinstance(own_fault(OSError(number, "why")), OutOfResources)


@pytest.mark.parametrize("error", [MemoryError(), OSError(errno.ENOMEM, "why")])
def test_a_memory_error_may_be_caused_by_one_email(error):
    fault = own_fault(error)
    assert isinstance(fault, OutOfMemory)
    assert fault.may_be_item


def test_a_missing_library_and_a_missing_file_are_named_without_their_path():
    library, file = (
        own_fault(ModuleNotFoundError("no", name="lxml")),
        own_fault(FileNotFoundError(2, "no", "/etc/ca.pem")),
    )
    assert (library.detail, file.detail) == ("library lxml", "a file")


def test_a_missing_optional_library_in_the_context_of_another_error_is_no_fault():
    def action():
        try:
            import no_such_accelerator  # type: ignore[import-not-found]  # noqa: F401
        except ImportError:
            raise requests.ConnectionError("refused")  # noqa: B904

    assert own_fault(raised(action)) is None


@pytest.mark.parametrize(
    "error",
    [
        ConnectionRefusedError(errno.ECONNREFUSED, "no"),
        socket.gaierror(socket.EAI_NONAME, "Name or service not known"),
        socket.gaierror(errno.EMFILE, "a number with another meaning"),
        TimeoutError(),
        requests.ConnectionError("no"),
        ExchangeUnreachable(),
        ValueError("[Errno 24] Too many open files"),
    ],
    ids=repr,
)
def test_an_error_that_the_other_side_may_have_caused_is_no_product_error(error):
    assert own_fault(error) is None


def test_exhausted_file_descriptors_are_found_behind_an_error_of_requests(monkeypatch):
    def action():
        try:
            requests.get("http://127.0.0.1:9/", timeout=1)
        except requests.ConnectionError as error:
            raise ExchangeUnreachable("no way to it") from error

    monkeypatch.setattr(socket, "socket", no_descriptor)
    assert isinstance(own_fault(raised(action)), OutOfResources)


def test_exhausted_file_descriptors_are_found_behind_an_error_of_httpx(monkeypatch):
    def action():
        try:
            httpx.get("http://127.0.0.1:9/", timeout=1)
        except httpx.HTTPError as error:
            raise ReinferUnreachable from error

    monkeypatch.setattr(socket, "socket", no_descriptor)
    assert isinstance(own_fault(raised(action)), OutOfResources)


def test_a_fault_in_an_exception_group_is_found():
    inner = ExceptionGroup("all attempts failed", [OSError(errno.ECONNREFUSED, "no"), OSError(errno.EMFILE, "no")])
    assert isinstance(own_fault(inner), OutOfResources)


def test_a_secret_that_cannot_be_decrypted_is_a_fault_of_the_process():
    assert isinstance(own_fault(SecretUnreadable()), SecretUnreadable)
