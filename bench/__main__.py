"""`python -m bench memory` and `python -m bench fetch`. Machines are noisy: quote ratios, and figures of one run only."""

from __future__ import annotations

import argparse
import sys

from bench import fetch, memory


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    commands = parser.add_subparsers(dest="what", required=True)
    mails = commands.add_parser("memory", help="peak memory of a worker over a large mailbox")
    mails.add_argument("--small", type=int, default=20_000, help="emails of 10 kB")
    mails.add_argument("--large", type=int, default=20, help="emails of 25 MB")
    fetched = commands.add_parser("fetch", help="emails per second out of Exchange, beside stock exchangelib")
    fetched.add_argument("--mails", type=int, default=1000)
    arguments = parser.parse_args()
    if arguments.what == "memory":
        return memory.run(arguments.small, arguments.large)
    return fetch.run(arguments.mails)


if __name__ == "__main__":
    sys.exit(main())
