"""Keyed sync states: how far whoever fills a bucket has come with a folder, or with a whole mailbox."""

from __future__ import annotations

import re
from collections.abc import Mapping

from simulators.http import Response
from simulators.reinfer.answers import Refused, ok
from simulators.reinfer.buckets import Bucket
from simulators.reinfer.contracts import PUT_STATE, STATE_IDS
from simulators.reinfer.tokens import READ_BUCKETS, WRITE_BUCKETS
from simulators.reinfer.visit import Handler, Visit

_KEY = re.compile(r"(?:[0-9a-f]{2}){1,1024}")


def list_states(visit: Visit) -> Response:
    bucket = visit.bucket_by_id(READ_BUCKETS, *visit.parts)
    return ok(keyed_sync_states=list(bucket.sync_states.values()))


def get_state(visit: Visit) -> Response:
    bucket, key = _keyed(visit, READ_BUCKETS)
    if key not in bucket.sync_states:
        raise Refused(404, "Sync state not found")
    return ok(keyed_sync_state=bucket.sync_states[key])


def put_state(visit: Visit) -> Response:
    bucket, key = _keyed(visit, WRITE_BUCKETS)
    visit.store.write_state(bucket, key, visit.json(PUT_STATE)["keyed_sync_state"])
    return ok()


def delete_state(visit: Visit) -> Response:
    bucket, key = _keyed(visit, WRITE_BUCKETS)
    try:
        visit.store.delete_state(bucket, key)
    except KeyError as error:
        raise Refused(404, "Sync state not found") from error
    return ok()


def list_ids(visit: Visit) -> Response:
    """The keys of one mailbox, of exactly this name: what the vendor's client deletes to sync it from its start."""
    bucket = visit.bucket_by_id(READ_BUCKETS, *visit.parts)
    wanted = visit.json(STATE_IDS)["mailbox_name"]
    return ok(
        keyed_sync_state_ids=[key for key, state in bucket.sync_states.items() if state["mailbox_name"] == wanted]
    )


def _keyed(visit: Visit, permission: str) -> tuple[Bucket, str]:
    bucket_id, key = visit.parts
    if not _KEY.fullmatch(key):
        raise Refused(400, "the key of a sync state is lower-case hexadecimal")
    return visit.bucket_by_id(permission, bucket_id), key


HANDLERS: Mapping[str, Handler] = {
    "list-sync-states": list_states,
    "get-sync-state": get_state,
    "put-sync-state": put_state,
    "delete-sync-state": delete_state,
    "list-sync-state-ids": list_ids,
}
