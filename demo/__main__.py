"""`python -m demo` runs the product for use in a browser. `python -m demo smoke` runs an automatic check."""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from demo import ports
from demo.broker import NoBroker
from demo.exchange import Control
from demo.life import Life
from demo.processes import ChildDied, Processes
from demo.seeding import seed
from demo.smoke import Smoke, mail_arguments
from demo.stack import Stack

EVERY = 4.0
"""Seconds between two changes in the simulated mailboxes."""
PORT = 8000
"""The port of the pages that is tried first."""


def main() -> int:
    arguments = _parser().parse_args()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    try:
        if arguments.what == "smoke":
            return _smoke(arguments)
        return _demo(arguments)
    except KeyboardInterrupt:
        print("\nThe demo and all of its processes are stopped.")
        return 0
    except (ChildDied, NoBroker) as error:
        print(f"\n{error}", file=sys.stderr)
        return 1


def _interrupt(number: int, frame: object) -> None:
    """Stop the demo and its processes.

    Without this handler, SIGTERM would end the demo at once, and a demo in the background would ignore SIGINT.
    """
    raise KeyboardInterrupt


def _demo(arguments: argparse.Namespace) -> int:
    port = arguments.port or ports.free(PORT, arguments.host)
    if arguments.port and not ports.is_free(arguments.port, arguments.host):
        print(f"Port {arguments.port} is in use. Choose another port, or omit --port.", file=sys.stderr)
        return 2
    if port != PORT and not arguments.port:
        print(f"Port {PORT} is in use. The pages are at port {port}.")
    with _stack(arguments.host, port, ["--generate", "7/40"]) as stack:
        password = seed(stack)
        stack.product("start")
        stack.run()
        print(_welcome(stack, password), flush=True)
        control = Control(stack.simulators["exchange"]["control_url"])
        life = Life(control, [mailbox["address"] for mailbox in control.get("mailboxes")])
        while True:
            stack.processes.check()
            life.step()
            time.sleep(EVERY)


def _smoke(arguments: argparse.Namespace) -> int:
    mail, record = arguments.mail, arguments.record
    if mail is not None and not _contains_mail(mail):
        print(f"There is no mail in {mail}: no .eml files, no mbox and no Maildir.", file=sys.stderr)
        return 2
    started = time.monotonic()
    with _stack("127.0.0.1", ports.free(), mail_arguments(mail, record)) as stack:
        seed(stack)
        stack.run()
        smoke = Smoke(stack)
        passed = smoke.run(own_mail=mail is not None)
    for problem in smoke.problems:
        print(f"WRONG: {problem}")
    print(f"{'No problems' if passed else 'Problems found'}, after {time.monotonic() - started:.0f} seconds.")
    return 0 if passed else 1


@contextmanager
def _stack(host: str, port: int, simulator_arguments: list[str]) -> Iterator[Stack]:
    with tempfile.TemporaryDirectory(prefix="reinfer-exchange-") as folder, Processes(Path(folder)) as processes:
        print("Starting …", flush=True)
        stack = Stack(processes, Path(folder), host=host, port=port)
        stack.prepare(simulator_arguments)
        yield stack


def _contains_mail(folder: Path) -> bool:
    from simulators.exchange import mails_below

    return folder.is_dir() and next(iter(mails_below(folder)), None) is not None


def _welcome(stack: Stack, password: str) -> str:
    return f"""
  Re:infer Exchange Integration    {stack.url}
  log in as                        admin / {password}
  comments in Re:infer             {stack.simulators["reinfer"]["pages_url"]}

  Mail arrives every few seconds, and some of it is moved. Press Ctrl-C to stop the demo.
"""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m demo", description=__doc__)
    parser.add_argument("what", nargs="?", choices=["demo", "smoke"], default="demo")
    parser.add_argument("--host", default="127.0.0.1", help="address on which the pages are served (demo)")
    parser.add_argument(
        "--port", type=int, default=0, help=f"port of the pages; default: {PORT} or the next free port (demo)"
    )
    parser.add_argument("--mail", type=Path, help="serve the .eml files, mboxes and Maildirs below this folder (smoke)")
    parser.add_argument(
        "--record", type=Path, help="store every request and response of the simulators in this folder (smoke)"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
