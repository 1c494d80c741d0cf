"""`python -m tests.sweep` or `make sweep`: measure regular expressions and the conversion with texts of growing size.

The command prints each expression, function and place in an email whose time grows faster than linearly with the text. It
also prints calls whose process ended, expressions that cannot be swept, and bounds without an expression. If it prints any
problem, the exit code is 1.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
import time
from functools import partial

import django

import tests.environment  # noqa: F401, sets the keys that the settings require
from tests.sweep.bounds import stale
from tests.sweep.conversion import PLACES, sweep_place
from tests.sweep.expressions import Found, find, product_packages
from tests.sweep.functions import FUNCTIONS, sweep_function
from tests.sweep.side_by_side import ENDED, side_by_side
from tests.sweep.sweep import sweep_expression


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.sweep", description=__doc__)
    parser.add_argument("--only", default="", help="sweep only names that contain this text")
    parser.add_argument("--slowest", action="store_true", help="print the time that each sweep takes")
    arguments = parser.parse_args()
    began = time.monotonic()
    found = _found()
    tasks = [(f"conversion: {name}", partial(sweep_place, name)) for name in PLACES]
    tasks += [(f"function: {name}", partial(sweep_function, name)) for name in FUNCTIONS]
    tasks += [(one.name, partial(sweep_expression, one)) for one in found.expressions]
    tasks = [(name, task) for name, task in tasks if arguments.only in name]
    problems = [
        f"{call.place}: this expression is built when the function runs: {call.source}" for call in found.unknown
    ]
    problems += [
        f"tests/sweep/bounds.py: no expression has the name {name}"
        for name in stale(one.name for one in found.expressions)
    ]
    for number, outcome in side_by_side([partial(_timed, task) for _, task in tasks]):
        name = tasks[number][0]
        failures, seconds = (
            ([f"{name}: the process ended: CPU time limit, memory limit or a crash"], 0)
            if outcome == ENDED
            else outcome
        )
        for failure in failures:
            problems.append(failure)
            print(failure, flush=True)
        if arguments.slowest:
            print(f"{seconds:6.1f} s {' '.join(name.split())[:100]}", flush=True)
    print(f"{len(tasks)} names swept in {time.monotonic() - began:.0f} s: {len(problems)} problems")
    for problem in problems:
        print(f"  {problem}")
    return 1 if problems else 0


def _found() -> Found:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    # Import the URLs first, as Django does. Some modules of the API can only be imported after them.
    importlib.import_module("config.urls")
    return find(product_packages())


def _timed(task):
    began = time.process_time()
    return [str(failure) for failure in task()], time.process_time() - began


if __name__ == "__main__":
    sys.exit(main())
