"""Run a benchmark. Compare only figures of the same run, because all figures depend on the load of the machine."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from bench import cleaning, fetch, graph, hostile, memory, pages, soak


def main() -> int:
    """Run the benchmark that the command line names. Return its exit code."""
    return _run(_parser().parse_args())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    memory_command = commands.add_parser("memory", help="peak memory of a worker that syncs a large mailbox")
    memory_command.add_argument("--small", type=int, default=20_000, help="number of emails of 10 kB")
    memory_command.add_argument("--large", type=int, default=20, help="number of emails of 25 MB")
    fetch_command = commands.add_parser(
        "fetch", help="emails fetched per second over EWS, compared with plain exchangelib"
    )
    fetch_command.add_argument("--mails", type=int, default=1000)
    graph_command = commands.add_parser("graph", help="emails fetched per second from Graph, one by one and in batches")
    graph_command.add_argument("--mails", type=int, default=1000)
    cleaning_command = commands.add_parser("cleaning", help="speed and accuracy of the text cleaning")
    cleaning_command.add_argument(
        "--mail", type=Path, help="also measure the speed of the conversion with the .eml files below this folder"
    )
    cleaning_command.add_argument(
        "--rivals", action="store_true", help="also measure other libraries; each is installed into its own environment"
    )
    cleaning_command.add_argument("--misses", action="store_true", help="print the held-out cases with a wrong result")
    hostile_command = commands.add_parser("hostile", help="seconds and memory for the conversion of malicious emails")
    hostile_command.add_argument(
        "--all", action="store_true", help="print all emails, not only the first twelve and the slowest"
    )
    pages_command = commands.add_parser(
        "pages", help="database queries and milliseconds of the pages in a large installation"
    )
    pages_command.add_argument("--mailboxes", type=int, default=5_000)
    pages_command.add_argument("--comments", type=int, default=1_000_000)
    soak_command = commands.add_parser(
        "soak", help="simulate a day, and detect leaks and lost emails; needs PostgreSQL"
    )
    soak_command.add_argument("--hours", type=float, default=24)
    soak_command.add_argument("--mailboxes", type=int, default=200)
    soak_command.add_argument(
        "--faults",
        type=float,
        default=0.01,
        help="share of the requests that fail, from 0 to 1",
    )
    soak_command.add_argument("--interval", type=int, default=900, help="seconds between two syncs of a mailbox")
    soak_command.add_argument("--seed", type=int, default=1)
    soak_command.add_argument("--workers", type=int, default=4)
    return parser


def _run(arguments: argparse.Namespace) -> int:
    if arguments.command == "soak":
        return soak.run(
            arguments.hours,
            arguments.mailboxes,
            arguments.faults,
            arguments.interval,
            arguments.seed,
            arguments.workers,
        )
    if arguments.command == "memory":
        return memory.run(arguments.small, arguments.large)
    if arguments.command == "pages":
        return pages.run(arguments.mailboxes, arguments.comments)
    if arguments.command == "hostile":
        return hostile.run(arguments.all)
    if arguments.command == "cleaning":
        return cleaning.run(arguments.mail, arguments.rivals, arguments.misses)
    return graph.run(arguments.mails) if arguments.command == "graph" else fetch.run(arguments.mails)


if __name__ == "__main__":
    sys.exit(main())
