"""Buckets and sync states for the vendor's client. Our buckets are sources at Re:infer; here they bear the vendor's shape of
a bucket, and each folder of a mailbox is a sync state of its bucket."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db.models import ProtectedError, QuerySet
from django.http import Http404
from rest_framework.request import Request
from rest_framework.response import Response

from access import history
from access.table import ADMINISTER, OPERATE, VIEW
from api.problems import Unprocessable
from api.reinfer_compat.base import VendorView, hex_id, inner, ok, pk_of
from integrations.models import Destination
from integrations.reinfer.names import problem_with_bucket
from mailboxes.models import Bucket
from operations import actions
from sync.models import LedgerEntry, SyncedFolder


class ReinferBuckets(VendorView):
    needs: ClassVar = {"GET": VIEW}

    def get(self, request: Request, project: str = "") -> Response:
        rows = Bucket.objects.filter(project=project) if project else Bucket.objects.all()
        return ok(buckets=[document(row) for row in rows])


class ReinferBucket(VendorView):
    needs: ClassVar = {"GET": VIEW, "PUT": ADMINISTER}

    def get(self, request: Request, project: str, name: str) -> Response:
        return ok(bucket=document(bucket_by_name(project, name)))

    def put(self, request: Request, project: str, name: str) -> Response:
        """Create, at the only destination there is."""
        inner(request, "bucket")
        if problem := problem_with_bucket(project, name):
            raise Unprocessable(problem)
        destinations = list(Destination.objects.all()[:2])
        if len(destinations) != 1:
            raise Unprocessable("There must be exactly one destination for this. Use /api/v1/buckets instead.")
        row, made = Bucket.objects.get_or_create(destination=destinations[0], project=project, name=name)
        if not made:
            # Not a 409: that the client takes for something that passes, and tries again for half a minute.
            raise Unprocessable("A bucket of this name exists already.")
        history.record(request, f"{row} was added.", about=row)
        return ok(bucket=document(row))


class BucketById(VendorView):
    needs: ClassVar = {"GET": VIEW, "DELETE": ADMINISTER}

    def get(self, request: Request, hex_pk: str) -> Response:
        return ok(bucket=document(bucket_by_id(hex_pk)))

    def delete(self, request: Request, hex_pk: str) -> Response:
        row = bucket_by_id(hex_pk)
        try:
            row.delete()
        except ProtectedError:
            raise Unprocessable(f"Mailboxes still send to {row}.") from None
        history.record(request, f"{row} was deleted.")
        return ok()


class BucketStatistics(VendorView):
    needs: ClassVar = {"GET": VIEW}

    def get(self, request: Request, project: str, name: str) -> Response:
        """How many comments we delivered there: of what others sent we know nothing."""
        row = bucket_by_name(project, name)
        value = LedgerEntry.objects.filter(bucket=row, state=LedgerEntry.State.CONFIRMED).count()
        return ok(statistics={"count": {"kind": "exact", "value": min(value, 2**31 - 1)}})


class SyncStates(VendorView):
    needs: ClassVar = {"GET": VIEW}

    def get(self, request: Request, hex_pk: str) -> Response:
        return ok(keyed_sync_states=[state(row) for row in states(bucket_by_id(hex_pk))])


class SyncStateIds(VendorView):
    needs: ClassVar = {"POST": VIEW}

    def post(self, request: Request, hex_pk: str) -> Response:
        """Of one mailbox."""
        address = request.data.get("mailbox_name") if isinstance(request.data, dict) else None
        if not isinstance(address, str):
            raise Unprocessable("mailbox_name is missing.")
        rows = states(bucket_by_id(hex_pk)).filter(mailbox__address__iexact=address)
        return ok(keyed_sync_state_ids=[hex_id(row.pk) for row in rows])


class OneSyncState(VendorView):
    needs: ClassVar = {"GET": VIEW, "DELETE": OPERATE}

    def get(self, request: Request, hex_pk: str, key: str) -> Response:
        return ok(keyed_sync_state=state(self._row(hex_pk, key)))

    def delete(self, request: Request, hex_pk: str, key: str) -> Response:
        """The folder is listed from its beginning again. Free: nothing is sent twice."""
        row = self._row(hex_pk, key)
        history.record(request, actions.list_folder_again(row), integration_id=row.mailbox.integration_id)
        return ok()

    def _row(self, hex_pk: str, key: str) -> SyncedFolder:
        row = states(bucket_by_id(hex_pk)).filter(pk=pk_of(key)).first()
        if row is None:
            raise Http404
        return row


def document(row: Bucket) -> dict[str, Any]:
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
    """The vendor's sync state of a folder."""
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
    rows = SyncedFolder.objects.filter(mailbox__bucket=bucket, gone=False, holds_mail=True)
    return rows.select_related("mailbox").order_by("mailbox__address", "path")


def bucket_by_name(project: str, name: str) -> Bucket:
    """Raises Http404, and Unprocessable when destinations have buckets of the same name."""
    rows = list(Bucket.objects.filter(project=project, name=name)[:2])
    if not rows:
        raise Http404
    if len(rows) > 1:
        raise Unprocessable(
            "Several destinations have a bucket of this name. Give its id instead: `re get buckets` shows it."
        )
    return rows[0]


def bucket_by_id(hex_pk: str) -> Bucket:
    """Raises Http404."""
    row = Bucket.objects.filter(pk=pk_of(hex_pk)).first()
    if row is None:
        raise Http404
    return row
