"""`python -m simulators`: run all simulators in one process.

One line of JSON on standard output contains the addresses of the simulators, for a person or for a parent process.
"""

from __future__ import annotations

import errno
import json
import os
import signal
import socket
import stat
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from simulators.exchange import ExchangeSimulator, Store
from simulators.exchange.tls import Authority
from simulators.filling import fill_from_files, fill_with_correspondence
from simulators.graph import GraphSimulator, Limits
from simulators.options import Options, read_options
from simulators.recording import Recorder
from simulators.reinfer import ReinferSimulator


def main() -> int:
    """Serve until a signal, or until the end of standard input (see `_stop_event`).

    Returns the exit code: 0, or 2 with one line on standard error if the servers cannot start.
    """
    options = read_options()
    stop = _stop_event()
    try:
        _check_ports_are_free(options)
        with _running(options) as addresses:
            print(json.dumps(addresses), flush=True)
            stop.wait()
    except OSError as error:
        print(f"simulators: {error}", file=sys.stderr)
        return 2
    return 0


def _stop_event() -> threading.Event:
    """An event that is set by SIGINT, by SIGTERM, or by the end of standard input.

    The end of standard input counts only if standard input is a pipe, a socket or a terminal: see `_has_another_end`.
    """
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    if sys.stdin is not None and _has_another_end(sys.stdin.fileno()):
        threading.Thread(target=_wait_for_end_of_input, args=(stop,), daemon=True).start()
    return stop


def _has_another_end(descriptor: int) -> bool:
    """Whether the descriptor is a pipe, a socket or a terminal.

    A shell gives a background job `/dev/null` as standard input. The end of `/dev/null` comes at once, and must not stop the
    simulators.
    """
    try:
        mode = os.fstat(descriptor).st_mode
    except OSError:
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) or os.isatty(descriptor)


def _wait_for_end_of_input(stop: threading.Event) -> None:
    descriptor = sys.stdin.fileno()
    try:
        while os.read(descriptor, 4096):
            pass
    except OSError:
        return
    stop.set()


def _check_ports_are_free(options: Options) -> None:
    """Raises `OSError` if a port cannot be used.

    The servers raise this error, too. But a server does not know which option contains its port, so its error cannot name the
    option.
    """
    ports = {
        "--onprem-port": options.onprem_port,
        "--online-port": options.online_port,
        "--exchange-control-port": options.exchange_control_port,
        "--graph-port": options.graph_port,
        "--graph-control-port": options.graph_control_port,
        "--reinfer-port": options.reinfer_port,
    }
    for option, port in ports.items():
        with socket.socket() as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                listener.bind((options.host, port))
            except OSError as error:
                taken = error.errno == errno.EADDRINUSE
                hint = f"; choose another {option}, or 0 for any free port" if taken else ""
                raise OSError(f"cannot listen at {options.host}:{port}: {error.strerror}{hint}") from error


@contextmanager
def _running(options: Options) -> Iterator[dict[str, Any]]:
    """Start all simulators. Yields the addresses of the servers and the names of the accounts, but no secrets.

    One certificate authority signs the certificates of all HTTPS servers.
    """
    store, authority = _filled(options), Authority()
    exchange_, graph_ = _exchange(options, store, authority), _graph(options, store, authority)
    with exchange_ as exchange, graph_ as graph, _reinfer(options) as reinfer:
        ca_file = exchange.ca_file()
        try:
            yield {
                "exchange": _of_exchange(exchange, options, str(ca_file)),
                "graph": _of_graph(graph, options, str(ca_file)),
                "reinfer": _of_reinfer(reinfer),
            }
        finally:
            ca_file.unlink(missing_ok=True)


def _filled(options: Options) -> Store:
    store = Store(options.mailboxes)
    if options.generate:
        fill_with_correspondence(store, options.mailboxes, options.generate.seed, options.generate.count)
    if options.mail:
        fill_from_files(store, options.mailboxes, options.mail)
    return store


def _exchange(options: Options, store: Store, authority: Authority) -> ExchangeSimulator:
    return ExchangeSimulator(
        store,
        accounts=options.accounts,
        applications=options.applications,
        recorder=Recorder(options.record / "exchange", kinds=("xml",)) if options.record else None,
        host=options.host,
        onprem_port=options.onprem_port,
        online_port=options.online_port,
        control_port=options.exchange_control_port,
        authority=authority,
    )


def _graph(options: Options, store: Store, authority: Authority) -> GraphSimulator:
    return GraphSimulator(
        store,
        registrations=options.applications,
        users=options.users,
        limits=Limits() if options.graph_limits else None,
        removals=options.graph_removals,
        authority=authority,
        recorder=Recorder(options.record / "graph") if options.record else None,
        host=options.host,
        port=options.graph_port,
        control_port=options.graph_control_port,
    )


def _reinfer(options: Options) -> ReinferSimulator:
    return ReinferSimulator(
        tokens=options.tokens,
        projects=options.projects,
        sources=options.sources,
        prefix=options.prefix,
        old_deployment=options.old_deployment,
        recorder=Recorder(options.record / "reinfer") if options.record else None,
        host=options.host,
        port=options.reinfer_port,
    )


def _of_exchange(exchange: ExchangeSimulator, options: Options, ca_file: str) -> dict[str, Any]:
    applications = [
        {
            "tenant": application.tenant,
            "client_id": application.client_id,
            "token_url": f"{exchange.authority_url}/{application.tenant}/oauth2/v2.0/token",
        }
        for application in options.applications
    ]
    accounts = [account.username for account in options.accounts]
    mailboxes = [
        {"address": address, "emails": sum(1 for _ in exchange.store[address].items())} for address in options.mailboxes
    ]
    return {
        "onprem": {"url": exchange.url("onprem"), "version": "Exchange Server 2016", "accounts": accounts},
        "online": {"url": exchange.url("online"), "version": "Exchange Online", "applications": applications},
        "ca_file": ca_file,
        "control_url": exchange.control_url,
        "mailboxes": mailboxes,
    }


def _of_graph(graph: GraphSimulator, options: Options, ca_file: str) -> dict[str, Any]:
    applications = [
        {"tenant": application.tenant, "client_id": application.client_id} for application in options.applications
    ]
    return {
        "url": graph.url,
        "authority_url": graph.authority_url,
        "applications": applications,
        "users": [user.username for user in options.users],
        "ca_file": ca_file,
        "control_url": graph.control_url,
    }


def _of_reinfer(reinfer: ReinferSimulator) -> dict[str, Any]:
    return {
        "url": reinfer.url,
        "pages_url": reinfer.pages_url,
        "control_url": reinfer.control_url,
        "sources": ["/".join(key) for key in reinfer.sources],
    }


if __name__ == "__main__":
    sys.exit(main())
