"""Health check for the container of a worker or of beat: report whether the worker or beat process can work."""

from __future__ import annotations

import socket
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from integrations import catalogue
from sync.jobs import processes
from sync.models import Process
from sync.reporting.standstill import MARGIN
from sync.store.lease import database_now


class Command(BaseCommand):
    """The `worker_health` command."""

    help = (
        "Exit with 0 if the worker (or beat) of this host is alive and can work; else show the reason, and exit with 1."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments.

        Args:
            parser: The parser of the command line.
        """
        parser.add_argument("kind", nargs="?", choices=Process.Kind.values, default=Process.Kind.WORKER)

    def handle(self, *args: Any, **options: Any) -> None:
        """Exit with 0 if the process can work.

        Args:
            *args: Unused.
            **options: The parsed options.

        Raises:
            CommandError: The process cannot work, or the database does not answer. The text contains the reason.
        """
        try:
            problem = _problem(options["kind"])
        except DatabaseError as error:
            raise CommandError(f"The database does not answer ({type(error).__name__}).") from None
        if problem:
            raise CommandError(problem)
        self.stdout.write("ok")


def _problem(kind: str) -> str:
    """Return why the newest living process of this kind on this host cannot work; empty if it can work."""
    now = database_now()
    here = [one for one in processes.alive(now) if one.kind == kind and one.host == socket.gethostname()]
    if not here:
        return f"No {kind} of this host has sent a heartbeat for {processes.ALIVE.total_seconds():.0f} seconds."
    one = here[-1]
    if one.fault:
        entry = catalogue.entry_of(one.fault)
        return (
            f"It takes no mailboxes. {entry.text} {entry.remedy}" if entry else f"It takes no mailboxes: {one.fault}."
        )
    if one.broker:
        return f"It cannot use the broker. {Process.Broker(one.broker).label}."
    if one.busy_since and one.busy_since < now - settings.SYNC_SLICE - MARGIN:
        return "Every slot of the worker has been busy with one task for longer than a sync may take."
    return ""
