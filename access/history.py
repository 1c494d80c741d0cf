"""Writing down what people did."""

from __future__ import annotations

import getpass
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.http import HttpRequest

from access.models import AuditEntry

Changes = Sequence[tuple[str, str, str]]
"""Field, before, after: in words, and never a secret."""
LONGEST = 500
MOST_NAMED = 500
KINDS = ("integration", "mailbox", "destination", "bucket", "set-aside")


def record(
    request: HttpRequest, text: str, *, changes: Changes = (), about: Any = None, integration_id: int | None = None
) -> None:
    """Note what the user of this request just did. The address of the request says on what, unless `about` is given."""
    match = request.resolver_match
    name, arguments = ((match.url_name or "").removeprefix("api-"), match.kwargs) if match else ("", {})
    kind = _kind(about) or next((kind for kind in KINDS if name.startswith(kind)), "")
    pk = getattr(about, "pk", None) or (arguments.get("pk") if kind else None)
    if kind == "set-aside" and pk is not None and (mailbox := _mailbox_of(pk)):
        kind, about, pk = "mailbox", mailbox, mailbox.pk
    if integration_id is None:
        integration_id = _integration(kind, pk, about) or arguments.get("integration_pk")
    AuditEntry.objects.create(
        who=who(request),
        about=kind,
        object_id=pk,
        integration_id=integration_id,
        text=text[:1024],
        changes=_shortened(changes),
    )


def note(by: str, text: str, *, changes: Changes = ()) -> None:
    """Note what a command did. `by`: who ran it, from `who_runs`."""
    AuditEntry.objects.create(who=by[:150], about="", object_id=None, text=text[:1024], changes=_shortened(changes))


def who(request: HttpRequest) -> str:
    """The user of a request, as the history names people."""
    return request.user.get_username()[:150]


def who_runs(command: str) -> str:
    """Who runs a command of `manage.py`: the account of the operating system."""
    try:
        account = getpass.getuser()
    except OSError:  # in a container an account may have a number and no name
        account = str(os.getuid())
    return f"{account}, manage.py {command}"[:150]


@contextmanager
def attempt(by: str, text: str, about: Any, way: Changes) -> Iterator[ConnectionAttempt]:
    """Note that somebody has the product connect somewhere. It is noted before anything is sent, and the outcome with it
    afterwards: a server that keeps the connection open until the process dies does not keep it out of the history.

    `about`: the row, saved or not. `way`: the servers. The caller sets the outcome.
    """
    kind, pk = _kind(about), getattr(about, "pk", None)
    found = ConnectionAttempt()
    act = AuditEntry.objects.create(
        who=by[:150],
        about=kind if pk else "",
        object_id=pk,
        integration_id=_integration(kind, pk, about),
        text=text[:1024],
        changes=_shortened([*way, ("Outcome", "", "not known: it did not end")]),
    )
    try:
        yield found
    finally:
        AuditEntry.objects.filter(pk=act.pk).update(changes=_shortened([*way, ("Outcome", "", found.outcome)]))


@dataclass(slots=True)
class ConnectionAttempt:
    """An attempt to connect."""

    outcome: str = "it broke off"


def _shortened(changes: Changes) -> list[list[str]]:
    return [[field, before[:LONGEST], after[:LONGEST]] for field, before, after in changes]


def _kind(about: Any) -> str:
    name = about._meta.model_name if about is not None else ""
    return name if name in KINDS else ""


def _mailbox_of(set_aside: int) -> Any:
    """In whose history it stands; None where it was deleted meanwhile."""
    email = apps.get_model("sync.DeadLetter").objects.filter(pk=set_aside).select_related("mailbox").first()
    return email and email.mailbox


def _integration(kind: str, pk: int | None, about: Any) -> int | None:
    if kind == "integration":
        return pk
    if about is None and kind == "mailbox" and pk is not None:
        about = apps.get_model("mailboxes", "Mailbox").objects.filter(pk=pk).first()
    found: int | None = getattr(about, "integration_id", None)
    return found


def named(things: Sequence[object]) -> Changes:
    """Those that one button was about, so that it can be read later which they were."""
    told = [("Of", "", str(thing)) for thing in things[:MOST_NAMED]]
    more = len(things) - MOST_NAMED
    return [*told, ("Of", "", f"{more:,} more")] if more > 0 else told
