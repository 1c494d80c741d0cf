"""`python -m bench memory`, `fetch`, `graph`, `cleaning`, `hostile`, `pages`, `soak`. Machines are noisy: quote ratios."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from bench import cleaning, fetch, graph, hostile, memory, pages, soak


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    commands = parser.add_subparsers(dest="what", required=True)
    mails = commands.add_parser("memory", help="peak memory of a worker over a large mailbox")
    mails.add_argument("--small", type=int, default=20_000, help="emails of 10 kB")
    mails.add_argument("--large", type=int, default=20, help="emails of 25 MB")
    fetched = commands.add_parser("fetch", help="emails per second out of Exchange, beside stock exchangelib")
    fetched.add_argument("--mails", type=int, default=1000)
    far = commands.add_parser("graph", help="emails per second out of Microsoft Graph, one by one and in batches")
    far.add_argument("--mails", type=int, default=1000)
    text = commands.add_parser("cleaning", help="speed and accuracy of the newest text, beside other libraries")
    text.add_argument("--mail", type=Path, help="a folder of .eml files to convert for the speed")
    text.add_argument(
        "--rivals", action="store_true", help="install the other libraries, each into its own environment"
    )
    text.add_argument("--misses", action="store_true", help="show the held-out cases that came out otherwise")
    attack = commands.add_parser("hostile", help="seconds and memory for emails that nobody should send")
    attack.add_argument("--all", action="store_true", help="show each, not only the slowest")
    shown = commands.add_parser("pages", help="queries and milliseconds of every page of a large installation")
    shown.add_argument("--mailboxes", type=int, default=5_000)
    shown.add_argument("--comments", type=int, default=1_000_000)
    day = commands.add_parser("soak", help="a day in fast motion: what grows that should not, with a PostgreSQL")
    day.add_argument("--hours", type=float, default=24)
    day.add_argument("--mailboxes", type=int, default=200)
    day.add_argument("--faults", type=float, default=0.01, help="part of all requests that fail")
    day.add_argument("--interval", type=int, default=900, help="seconds between two syncs of a mailbox")
    day.add_argument("--seed", type=int, default=1)
    day.add_argument("--workers", type=int, default=4)
    arguments = parser.parse_args()
    if arguments.what == "soak":
        given = arguments
        return soak.run(given.hours, given.mailboxes, given.faults, given.interval, given.seed, given.workers)
    if arguments.what == "memory":
        return memory.run(arguments.small, arguments.large)
    if arguments.what == "pages":
        return pages.run(arguments.mailboxes, arguments.comments)
    if arguments.what == "hostile":
        return hostile.run(arguments.all)
    if arguments.what == "cleaning":
        return cleaning.run(arguments.mail, arguments.rivals, arguments.misses)
    return graph.run(arguments.mails) if arguments.what == "graph" else fetch.run(arguments.mails)


if __name__ == "__main__":
    sys.exit(main())
