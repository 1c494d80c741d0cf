"""Handler of `sync-raw-emails`: pushes raw emails into a source."""

from __future__ import annotations

from collections.abc import Mapping

from simulators.http import Response
from simulators.reinfer.api_call import ApiCall, Handler
from simulators.reinfer.body_checks import InvalidBody
from simulators.reinfer.calls.comments import counts_of, refuse_unknown_content
from simulators.reinfer.contract import check_sync
from simulators.reinfer.contracts import RAW_EMAILS
from simulators.reinfer.raw_emails import comment_of_document
from simulators.reinfer.responses import Refused, ok
from simulators.reinfer.tokens import ADD_COMMENTS


def sync_raw_emails(api_call: ApiCall) -> Response:
    """Push raw emails. With `include_comments`, the response contains the comments that the parser created."""
    source = api_call.source(ADD_COMMENTS, *api_call.parts)
    api_call.refuse_free_of_charge()
    body = api_call.json(RAW_EMAILS)
    try:
        comments = [comment_of_document(one, f"documents[{index}]") for index, one in enumerate(body["documents"])]
        check_sync({"comments": comments}, "documents")
    except InvalidBody as error:
        raise Refused(400, str(error)) from error
    refuse_unknown_content(api_call, source.id, comments)
    counts = counts_of(api_call, api_call.store.sync(source, comments))
    if not body.get("include_comments"):
        return ok(**counts)
    made = [source.comments[comment["id"]].as_answer(include_markup=True) for comment in comments]
    return ok(**counts, comments=made)


HANDLERS: Mapping[str, Handler] = {"sync-raw-emails": sync_raw_emails}
