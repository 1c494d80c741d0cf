"""Buckets and sync states for Re:infer's client.

The client receives the buckets of this product under the name bucket, although a bucket is a *source* in the API of Re:infer.
The client receives each folder of a mailbox as a sync state.
"""

from __future__ import annotations

from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http import Http404
from rest_framework.request import Request
from rest_framework.response import Response

from access.table import ADMINISTER, OPERATE, VIEW
from api.problems import Unprocessable
from api.reinfer_compat.base import VendorView, hex_id, inner, ok, pk_of
from integrations.models import Destination
from integrations.reinfer.names import problem_with_bucket
from mailboxes.models import Bucket
from operations import bucket_actions, mailbox_actions
from operations.actor import Actor
from sync.models import LedgerEntry, SyncedFolder


class ReinferBuckets(VendorView):
    """The buckets."""

    needs: ClassVar = {"GET": VIEW}

    def get(self, request: Request, project: str = "") -> Response:
        """List the buckets of one project, or all buckets."""
        rows = Bucket.objects.filter(project=project) if project else Bucket.objects.all()
        return ok(buckets=[document(row) for row in rows])


class ReinferBucket(VendorView):
    """A bucket by its name."""

    needs: ClassVar = {"GET": VIEW, "PUT": ADMINISTER}

    def get(self, request: Request, project: str, name: str) -> Response:
        """Return the bucket."""
        return ok(bucket=document(bucket_by_name(project, name)))

    def put(self, request: Request, project: str, name: str) -> Response:
        """Add the bucket.

        The request is refused if the name is not valid, if a bucket has this name already, or if the number of
        destinations is not one.
        """
        inner(request, "bucket")
        if problem := problem_with_bucket(project, name):
            raise Unprocessable(problem)
        destinations = list(Destination.objects.all()[:2])
        if len(destinations) != 1:
            raise Unprocessable("This request requires exactly one destination. Use /api/v1/buckets instead.")
        row, is_new = bucket_actions.get_or_add(Actor.of_request(request), destinations[0], project, name)
        if not is_new:
            # 422 instead of 409, because the client retries after a 409 for 30 seconds.
            raise Unprocessable("A bucket with this name exists already.")
        return ok(bucket=document(row))


class BucketById(VendorView):
    """A bucket by its id."""

    needs: ClassVar = {"GET": VIEW, "DELETE": ADMINISTER}

    def get(self, request: Request, hex_pk: str) -> Response:
        """Return the bucket."""
        return ok(bucket=document(bucket_by_id(hex_pk)))

    def delete(self, request: Request, hex_pk: str) -> Response:
        """Delete the bucket. Refused if mailboxes use it."""
        row = bucket_by_id(hex_pk)
        if not bucket_actions.delete(Actor.of_request(request), row):
            raise Unprocessable(f"Mailboxes still use {row}.")
        return ok()


class BucketStatistics(VendorView):
    """The number of comments in a bucket, according to the ledger."""

    needs: ClassVar = {"GET": VIEW}

    def get(self, request: Request, project: str, name: str) -> Response:
        """Return the number of confirmed ledger entries: comments that this product pushed or adopted, and no others."""
        row = bucket_by_name(project, name)
        value = LedgerEntry.objects.filter(bucket=row, state=LedgerEntry.State.CONFIRMED).count()
        return ok(statistics={"count": {"kind": "exact", "value": min(value, 2**31 - 1)}})


class SyncStates(VendorView):
    """The folders of the mailboxes of a bucket."""

    needs: ClassVar = {"GET": VIEW}

    def get(self, request: Request, hex_pk: str) -> Response:
        """List the folders."""
        return ok(keyed_sync_states=[state(row) for row in states(bucket_by_id(hex_pk))])


class SyncStateIds(VendorView):
    """The ids of the folders of one mailbox."""

    needs: ClassVar = {"POST": VIEW}

    def post(self, request: Request, hex_pk: str) -> Response:
        """Return the ids of the folders of one mailbox."""
        address = request.data.get("mailbox_name") if isinstance(request.data, dict) else None
        if not isinstance(address, str):
            raise Unprocessable("The body must be a JSON object with the key mailbox_name, whose value is a text.")
        rows = states(bucket_by_id(hex_pk)).filter(mailbox__address__iexact=address)
        return ok(keyed_sync_state_ids=[hex_id(row.pk) for row in rows])


class OneSyncState(VendorView):
    """A folder."""

    needs: ClassVar = {"GET": VIEW, "DELETE": OPERATE}

    def get(self, request: Request, hex_pk: str, key: str) -> Response:
        """Return the folder."""
        return ok(keyed_sync_state=state(self._row(hex_pk, key)))

    def delete(self, request: Request, hex_pk: str, key: str) -> Response:
        """Delete the cursor, so that the next sync lists the folder from its beginning. No comment is billed twice."""
        mailbox_actions.list_folder_again(Actor.of_request(request), self._row(hex_pk, key))
        return ok()

    def _row(self, hex_pk: str, key: str) -> SyncedFolder:
        row = states(bucket_by_id(hex_pk)).filter(pk=pk_of(key)).first()
        if row is None:
            raise Http404
        return row


def document(row: Bucket) -> dict[str, Any]:
    """Return a bucket in the format of the client.

    Args:
        row: The bucket.

    Returns:
        The document.
    """
    made = row.created_at.isoformat()
    return {
        "id": hex_id(row.pk),
        "owner": row.project,
        "name": row.name,
        "title": row.name,
        "created_at": made,
        "updated_at": made,
        "transform_tag": None,
    }


def state(row: SyncedFolder) -> dict[str, Any]:
    """Return a folder as a sync state.

    Args:
        row: The folder with its mailbox.

    Returns:
        The document.
    """
    return {
        "id": hex_id(row.pk),
        "mailbox_name": row.mailbox.address,
        "folder_id": row.folder_id,
        "folder_path": row.path,
        "status": "UP_TO_DATE" if row.up_to_date else "IN_PROGRESS",
        **({"synced_until": row.synced_until.isoformat()} if row.synced_until else {}),
        "last_synced_at": (row.synced_at or row.mailbox.created_at).isoformat(),
    }


def states(bucket: Bucket) -> QuerySet[SyncedFolder]:
    """Return the folders that contain mail in the mailboxes of a bucket, including left-out folders.

    Args:
        bucket: The bucket.

    Returns:
        The folders with their mailboxes.
    """
    rows = SyncedFolder.objects.filter(mailbox__bucket=bucket, gone=False, holds_mail=True)
    return rows.select_related("mailbox").order_by("mailbox__address", "path")


def bucket_by_name(project: str, name: str) -> Bucket:
    """Return a bucket by its name.

    Args:
        project: The name of the project.
        name: The name of the bucket.

    Returns:
        The bucket.

    Raises:
        Http404: The bucket does not exist.
        Unprocessable: Several destinations have a bucket with this name.
    """
    rows = list(Bucket.objects.filter(project=project, name=name)[:2])
    if not rows:
        raise Http404
    if len(rows) > 1:
        raise Unprocessable(
            "Several destinations have a bucket with this name. Use the id of the bucket instead: `re get buckets` shows it."
        )
    return rows[0]


def bucket_by_id(hex_pk: str) -> Bucket:
    """Return a bucket by its id.

    Args:
        hex_pk: The id, in hexadecimal.

    Returns:
        The bucket.

    Raises:
        Http404: The bucket does not exist.
    """
    row = Bucket.objects.filter(pk=pk_of(hex_pk)).first()
    if row is None:
        raise Http404
    return row
