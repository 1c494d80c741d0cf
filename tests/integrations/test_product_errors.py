"""Which errors are faults of this process, however libraries wrap them, and which are surely none."""

from __future__ import annotations

import errno
import socket

import httpx
import pytest
import requests

from integrations.errors import ExchangeUnreachable, OutOfMemory, OutOfResources, ReinferUnreachable, SecretUnreadable
from integrations.product_errors import own_fault


def raised(act) -> BaseException:
    with pytest.raises(BaseException) as caught:  # noqa: PT011  # whatever it is
        act()
    return caught.value


def no_descriptor(*given, **named):
    raise OSError(errno.EMFILE, "Too many open files")


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE, errno.ENOSPC, errno.EDQUOT])
def test_a_process_that_ran_out_of_something_is_at_fault_itself(number):
    assert isinstance(own_fault(OSError(number, "why")), OutOfResources)


@pytest.mark.parametrize("error", [MemoryError(), OSError(errno.ENOMEM, "why")])
def test_memory_may_be_one_email_too_much(error):
    fault = own_fault(error)
    assert isinstance(fault, OutOfMemory)
    assert fault.may_be_item


def test_a_missing_library_and_a_missing_file_are_named_without_their_path():
    library, file = (
        own_fault(ModuleNotFoundError("no", name="lxml")),
        own_fault(FileNotFoundError(2, "no", "/etc/ca.pem")),
    )
    assert (library.detail, file.detail) == ("library lxml", "a file")


def test_a_library_that_was_tried_and_missed_on_the_way_to_another_error_is_no_fault():
    def act():
        try:
            import no_such_accelerator  # type: ignore[import-not-found]  # noqa: F401
        except ImportError:
            raise requests.ConnectionError("refused")  # noqa: B904

    assert own_fault(raised(act)) is None


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
def test_what_may_be_the_fault_of_the_other_side_is_none_of_ours(error):
    assert own_fault(error) is None


def test_descriptors_that_run_out_inside_requests_are_seen_behind_its_error(monkeypatch):
    def act():
        try:
            requests.get("http://127.0.0.1:9/", timeout=1)
        except requests.ConnectionError as error:
            raise ExchangeUnreachable("no way to it") from error

    monkeypatch.setattr(socket, "socket", no_descriptor)
    assert isinstance(own_fault(raised(act)), OutOfResources)


def test_descriptors_that_run_out_inside_httpx_are_seen_behind_its_error(monkeypatch):
    def act():
        try:
            httpx.get("http://127.0.0.1:9/", timeout=1)
        except httpx.HTTPError as error:
            raise ReinferUnreachable from error

    monkeypatch.setattr(socket, "socket", no_descriptor)
    assert isinstance(own_fault(raised(act)), OutOfResources)


def test_a_fault_in_a_group_is_found():
    inner = ExceptionGroup("all attempts failed", [OSError(errno.ECONNREFUSED, "no"), OSError(errno.EMFILE, "no")])
    assert isinstance(own_fault(inner), OutOfResources)


def test_a_secret_that_cannot_be_decrypted_is_a_fault_of_the_process():
    assert isinstance(own_fault(SecretUnreadable()), SecretUnreadable)
