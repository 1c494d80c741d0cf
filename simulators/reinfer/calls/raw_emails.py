"""Raw emails straight into a source: `sync-raw-emails`."""

from __future__ import annotations

from collections.abc import Mapping

from simulators.http import Response
from simulators.reinfer.answers import Refused, ok
from simulators.reinfer.calls.comments import counts_of, refuse_unknown_content
from simulators.reinfer.contract import check_sync
from simulators.reinfer.contracts import RAW_EMAILS
from simulators.reinfer.raw_emails import comment_of_document
from simulators.reinfer.shapes import Misshapen
from simulators.reinfer.tokens import ADD_COMMENTS
from simulators.reinfer.visit import Handler, Visit


def sync_raw_emails(visit: Visit) -> Response:
    """Answers with the comments that were made when they are asked for: nothing else tells what the parser made."""
    source = visit.source(ADD_COMMENTS, *visit.parts)
    visit.refuse_free_of_charge()
    body = visit.json(RAW_EMAILS)
    try:
        comments = [comment_of_document(one, f"documents[{index}]") for index, one in enumerate(body["documents"])]
        check_sync({"comments": comments}, "documents")
    except Misshapen as error:
        raise Refused(400, str(error)) from error
    refuse_unknown_content(visit, source.id, comments)
    counts = counts_of(visit, visit.store.sync(source, comments))
    if not body.get("include_comments"):
        return ok(**counts)
    made = [source.comments[comment["id"]].as_answer(include_markup=True) for comment in comments]
    return ok(**counts, comments=made)


HANDLERS: Mapping[str, Handler] = {"sync-raw-emails": sync_raw_emails}
