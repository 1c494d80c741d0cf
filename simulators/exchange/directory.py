"""ResolveNames: finds mailboxes by the beginning of their address."""

from __future__ import annotations

from simulators.exchange.soap import Call, ItemFault, SoapFault, escape, failure, success, warning
from simulators.exchange.store import Mailbox, Store

MOST = 100
FULL = ("true", "1")


def resolved(store: Store, call: Call) -> str:
    """The response message of a ResolveNames. Raises `SoapFault`."""
    if call.body.get("ReturnFullContactData") not in (*FULL, "false", "0"):
        raise SoapFault("ErrorSchemaValidation", "ReturnFullContactData is missing.")
    entry = (call.text("m:UnresolvedEntry") or "").strip()
    if not entry:
        raise SoapFault("ErrorSchemaValidation", "UnresolvedEntry is empty.")
    prefix = entry.casefold().removeprefix("smtp:")
    found = [mailbox for mailbox in store if mailbox.address.casefold().startswith(prefix)]
    if not found:
        return failure("ResolveNames", ItemFault("ErrorNameResolutionNoResults", "No results were found."))
    full = call.body.get("ReturnFullContactData") in FULL
    entries = "".join(_resolution(mailbox, full) for mailbox in found[:MOST])
    last = str(len(found) <= MOST).lower()
    content = (
        f'<m:ResolutionSet TotalItemsInView="{min(len(found), MOST)}" IncludesLastItemInRange="{last}">{entries}'
        "</m:ResolutionSet>"
    )
    if len(found) == 1:
        return success("ResolveNames", content)
    text = "Multiple results were found."
    return warning("ResolveNames", ItemFault("ErrorNameResolutionMultipleResults", text), content)


def _resolution(mailbox: Mailbox, full: bool) -> str:
    address, name = escape(mailbox.address), escape(mailbox.address.partition("@")[0])
    contact = (
        f'<t:Contact><t:DisplayName>{name}</t:DisplayName><t:EmailAddresses><t:Entry Key="EmailAddress1">SMTP:{address}'
        "</t:Entry></t:EmailAddresses><t:ContactSource>ActiveDirectory</t:ContactSource></t:Contact>"
    )
    return (
        f"<t:Resolution><t:Mailbox><t:Name>{name}</t:Name><t:EmailAddress>{address}</t:EmailAddress>"
        "<t:RoutingType>SMTP</t:RoutingType><t:MailboxType>Mailbox</t:MailboxType></t:Mailbox>"
        f"{contact if full else ''}</t:Resolution>"
    )
