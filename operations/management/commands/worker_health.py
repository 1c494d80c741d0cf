"""Whether the worker, or the beat, of this host is well: for the health check of its container."""

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
    help = (
        "Exit with 0 when the worker (or beat) of this host lives and can work; otherwise say why not, and exit with 1."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("kind", nargs="?", choices=Process.Kind.values, default=Process.Kind.WORKER)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            problem = _problem(options["kind"])
        except DatabaseError as error:
            raise CommandError(f"The database does not answer ({type(error).__name__}).") from None
        if problem:
            raise CommandError(problem)
        self.stdout.write("ok")


def _problem(kind: str) -> str:
    """Why the process of this kind that was started last on this host is not well; empty when it is."""
    now = database_now()
    here = [one for one in processes.alive(now) if one.kind == kind and one.host == socket.gethostname()]
    if not here:
        return f"No {kind} of this host has said a word for {processes.ALIVE.total_seconds():.0f} seconds."
    one = here[-1]
    if one.fault:
        entry = catalogue.entry_of(one.fault)
        return (
            f"It takes no mailboxes. {entry.text} {entry.remedy}" if entry else f"It takes no mailboxes: {one.fault}."
        )
    if one.broker:
        return f"It cannot use the broker. {Process.Broker(one.broker).label}."
    if one.busy_since and one.busy_since < now - settings.SYNC_SLICE - MARGIN:
        return "Each of its slots has had the same task for longer than a sync may take."
    return ""
