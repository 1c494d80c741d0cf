"""Handlers of keyed sync states: the progress of the program that fills a bucket, for each folder or mailbox."""

from __future__ import annotations

import re
from collections.abc import Mapping

from simulators.http import Response
from simulators.reinfer.api_call import ApiCall, Handler
from simulators.reinfer.buckets import Bucket
from simulators.reinfer.contracts import PUT_STATE, STATE_IDS
from simulators.reinfer.responses import Refused, ok
from simulators.reinfer.tokens import READ_BUCKETS, WRITE_BUCKETS

_KEY = re.compile(r"(?:[0-9a-f]{2}){1,1024}")


def list_states(api_call: ApiCall) -> Response:
    bucket = api_call.bucket_by_id(READ_BUCKETS, *api_call.parts)
    return ok(keyed_sync_states=list(bucket.sync_states.values()))


def get_state(api_call: ApiCall) -> Response:
    bucket, key = _keyed(api_call, READ_BUCKETS)
    if key not in bucket.sync_states:
        raise Refused(404, "Sync state not found")
    return ok(keyed_sync_state=bucket.sync_states[key])


def put_state(api_call: ApiCall) -> Response:
    bucket, key = _keyed(api_call, WRITE_BUCKETS)
    api_call.store.write_state(bucket, key, api_call.json(PUT_STATE)["keyed_sync_state"])
    return ok()


def delete_state(api_call: ApiCall) -> Response:
    bucket, key = _keyed(api_call, WRITE_BUCKETS)
    try:
        api_call.store.delete_state(bucket, key)
    except KeyError as error:
        raise Refused(404, "Sync state not found") from error
    return ok()


def list_ids(api_call: ApiCall) -> Response:
    """The keys of the states of the mailbox with exactly this name.

    The vendor's client deletes these states to sync the mailbox again.
    """
    bucket = api_call.bucket_by_id(READ_BUCKETS, *api_call.parts)
    wanted = api_call.json(STATE_IDS)["mailbox_name"]
    return ok(
        keyed_sync_state_ids=[key for key, state in bucket.sync_states.items() if state["mailbox_name"] == wanted]
    )


def _keyed(api_call: ApiCall, permission: str) -> tuple[Bucket, str]:
    bucket_id, key = api_call.parts
    if not _KEY.fullmatch(key):
        raise Refused(400, "the key of a sync state is lower-case hexadecimal")
    return api_call.bucket_by_id(permission, bucket_id), key


HANDLERS: Mapping[str, Handler] = {
    "list-sync-states": list_states,
    "get-sync-state": get_state,
    "put-sync-state": put_state,
    "delete-sync-state": delete_state,
    "list-sync-state-ids": list_ids,
}
