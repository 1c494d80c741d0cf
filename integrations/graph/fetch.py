"""Emails by their ids: MIME and details, an outcome for each, in their order. One request for an email, several at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from integrations.graph.around import is_unlisted
from integrations.graph.connection import GraphRequest
from integrations.graph.folders import read_inbox
from integrations.graph.mailbox import GraphMailbox
from integrations.graph.messages import Messages
from integrations.graph.refusals import GraphAnswer
from integrations.graph.rows import DeltaRow
from integrations.messages import Change, Email, Fetched, Gone, ItemId, Unreadable

GONE = {"erroritemnotfound"}
ITS_OWN = {
    "errorinvalididmalformed", "erroritemcorrupt", "errorcorruptdata", "errormimecontentconversionfailed",
    "errorcontentconversionfailed", "errormessagesizeexceeded", "errormimecontentinvalid", "errorpropertyvalidationfailure",
    "errorunsupportedmimeconversion", "errormimecontentinvalidbase64string", "errorinvalidid", "errorinvalidpropertyrequest",
}  # fmt: skip
"""Faults of an item that stay with it."""


def fetched(mailbox: GraphMailbox, changes: Sequence[Change], messages: Messages) -> Iterator[Fetched]:
    """One outcome for each change. Raises what is no single item's fault.

    The properties are as old as the content or older, never newer: an edit in between is told again by a later page.
    """
    listed = [change for change in changes if not is_unlisted(change.item_id)]
    known = {change.item_id: one for change, one in zip(listed, messages.told(listed), strict=True)}
    present = [change.item_id for change in listed if isinstance(known[change.item_id], DeltaRow)]
    answers = dict(zip(present, _contents(mailbox, present), strict=True))
    if not any(answer.ok for answer in answers.values()):
        _check_whose_fault(mailbox, answers)
    for change in changes:
        told = known.get(change.item_id)
        if told is None:
            yield Unreadable(change, "Graph does not list it")
        elif isinstance(told, Gone):
            yield told
        else:
            yield _outcome(told, answers[change.item_id])


def _contents(mailbox: GraphMailbox, items: Sequence[ItemId]) -> list[GraphAnswer]:
    """The answers for these. Raises the first that is no item's own; what may be one's own fault is asked for twice."""
    answers = list(_asked(mailbox, items))
    again = [place for place, answer in enumerate(answers) if answer.is_its_own()]
    for place, answer in zip(again, _asked(mailbox, [items[place] for place in again]), strict=True):
        answers[place] = answer
    return answers


def _asked(mailbox: GraphMailbox, items: Sequence[ItemId]) -> Iterator[GraphAnswer]:
    for answer in mailbox.connection.ask_all(
        [GraphRequest(mailbox.path("messages", item, "$value")) for item in items]
    ):
        if not (answer.ok or answer.is_its_own() or _is_of_item(answer) or answer.status == 403):
            raise answer.refusal()
        yield answer


def _is_of_item(answer: GraphAnswer) -> bool:
    return answer.status < 500 and answer.code().casefold() in GONE | ITS_OWN


def _check_whose_fault(mailbox: GraphMailbox, answers: Mapping[ItemId, GraphAnswer]) -> None:
    """Nothing could be read: the mailbox's fault, unless it can be opened, and something else in it be read. Raises it."""
    if any(answer.is_its_own() for answer in answers.values()):
        read_inbox(mailbox)
    forbidden = next((answer for answer in answers.values() if answer.status == 403), None)
    if forbidden is None:
        return
    page = mailbox.document(mailbox.path("messages", select="id", top=len(answers) + 1))
    others = [row["id"] for row in page["value"] if row["id"] not in answers][:1]
    if not any(answer.ok for answer in _asked(mailbox, others)):
        raise forbidden.refusal()


def _outcome(told: DeltaRow, answer: GraphAnswer) -> Fetched:
    if answer.ok:
        return Email(told.change, answer.body, told.details)
    code = answer.code()
    return Gone(told.change) if code.casefold() in GONE else Unreadable(told.change, code or f"HTTP {answer.status}")
