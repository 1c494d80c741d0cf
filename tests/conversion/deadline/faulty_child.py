"""The product's child process with additional faults. The subject of an email selects the fault."""

from __future__ import annotations

import os
import signal

from conversion import cleaning, transform
from conversion.deadline import child
from tests.conversion.deadline.slow import planted

usual = planted(cleaning.clean)


def hold_the_interpreter() -> None:
    """Run C code that no timer can interrupt."""
    sum(range(10**13))


FAULTS = {
    "killed": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "c-code": hold_the_interpreter,
    "memory": lambda: bytearray(3 * child.MEMORY),
    "environment": lambda: (_ for _ in ()).throw(type("_".join(sorted(os.environ)), (Exception,), {})()),
}


def clean(sections, subject, *given):
    if subject in FAULTS:
        FAULTS[subject]()
    return usual(sections, subject, *given)


transform.clean = clean  # type: ignore[attr-defined]  # replaces the function that `transform` imported

if __name__ == "__main__":
    child.main()
