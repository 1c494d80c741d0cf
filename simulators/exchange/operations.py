"""The simulated read operations of EWS, for one authenticated account. All other operations are refused."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from lxml import etree

from simulators import pages
from simulators.exchange import finding, ids, items, paging, shapes, strictness
from simulators.exchange.accounts import Principal
from simulators.exchange.attachments import attachment_xml
from simulators.exchange.changes import ChangeKind, Page, StateRefused, item_changes, tree_changes
from simulators.exchange.contents import contents_of
from simulators.exchange.directory import resolved
from simulators.exchange.restrictions import folder_restriction
from simulators.exchange.servers import DISTINGUISHED_SINCE, VERSIONS, newest
from simulators.exchange.soap import NS, Call, ItemFault, SoapFault, envelope, failure, quoteattr, success
from simulators.exchange.store import Folder, Item, Mailbox, Store
from simulators.exchange.timezones import time_zones
from simulators.faults import Faults, Rule

WRITES = {
    "CreateItem", "UpdateItem", "DeleteItem", "MoveItem", "CopyItem", "SendItem", "CreateFolder", "UpdateFolder",
    "DeleteFolder", "MoveFolder", "EmptyFolder", "MarkAllItemsAsRead", "ArchiveItem", "CreateAttachment",
    "DeleteAttachment", "MarkAsJunk",
}  # fmt: skip
NAMED_IN_WRITES = (
    "ItemIds", "Items", "ItemChanges", "FolderIds", "Folders", "FolderChanges", "AttachmentIds", "Attachments",
)  # fmt: skip
"""Elements of a write request that list its objects. The response has one message for each object."""
MAX_CHANGES = 512
ACCESS_DENIED = "Access is denied. Check credentials and try again."
NOT_FOUND = "The specified object was not found in the store."


@dataclass(frozen=True)
class EwsRequestHandler:
    """Handles the calls of one account. `version`: build of the front-end server."""

    store: Store
    faults: Faults
    principal: Principal
    version: str

    def answer(self, call: Call) -> bytes:
        """The envelope of the response. Raises `SoapFault` if the whole request fails."""
        server = self._server(call)
        if call.version not in VERSIONS:
            raise SoapFault("ErrorInvalidServerVersion", "The specified server version is invalid.")
        if call.version > newest(self.version):
            raise SoapFault("ErrorInvalidServerVersion", "The specified server version is invalid.")
        if call.version > newest(server):
            text = "A request was passed on to a server that does not take its version."
            raise SoapFault("ErrorInvalidSchemaVersionForMailboxVersion", text)
        if call.operation in WRITES:
            return self._envelope(call, self._refused(call))
        operations: dict[str, Callable[[Call], str]] = {
            "ConvertId": self._convert_id,
            "GetFolder": self._get_folder,
            "FindFolder": self._find_folder,
            "SyncFolderHierarchy": self._sync_hierarchy,
            "SyncFolderItems": self._sync_items,
            "GetItem": self._get_item,
            "FindItem": self._find_item,
            "GetAttachment": self._get_attachment,
            "GetServerTimeZones": time_zones,
            "ResolveNames": partial(resolved, self.store),
        }
        if call.operation not in operations:
            raise SoapFault("ErrorInvalidRequest", f"{call.operation} is not simulated.")
        strictness.check(call)
        return self._envelope(call, operations[call.operation](call))

    def _server(self, call: Call) -> str:
        """The build of the server that creates the response: the mailbox's own server if there is one, otherwise the
        front-end server.
        """
        mailbox = self.store.get(self.mailbox_named(call))
        if mailbox is None:
            ids = [element.get("Id") or "" for element in call.body.iterfind(".//*[@Id]", NS)]
            mailbox = next((one for one in self.store if ids and one.server and one.holds(ids[0])), None)
        return (mailbox.server if mailbox is not None else "") or self.version

    def mailbox_named(self, call: Call) -> str:
        """The address of the mailbox in the header or in a folder of the call; blank if there is none.

        The rules of faults compare this address with theirs.
        """
        address = call.body.findtext(".//t:Mailbox/t:EmailAddress", namespaces=NS)
        return call.impersonated or address or ""

    # ---- mailbox --------------------------------------------------------------------------------------------------

    def _mailbox(self, call: Call, element: etree._Element | None = None, any_id: str = "") -> Mailbox:
        """The mailbox of a call. Raises `SoapFault` or `ItemFault` if the account may not read it.

        Args:
            element: The element that names a folder, item or attachment; None if the call has no such element.
            any_id: The id of the item; blank for a folder. The element of an attachment has a longer id.
        """
        if call.impersonated is not None:
            if self.store.get(call.impersonated) is None:
                raise SoapFault("ErrorNonExistentMailbox", "The SMTP address has no mailbox associated with it.")
            if not self.principal.impersonates(call.impersonated):
                raise SoapFault("ErrorImpersonateUserDenied", "The account does not have permission to impersonate.")
            impersonated: Mailbox = self.store[call.impersonated]
            return impersonated
        if self.principal.application:
            raise SoapFault("ErrorAccessDenied", "An application must impersonate a mailbox to read it.")
        address = element.findtext("t:Mailbox/t:EmailAddress", namespaces=NS) if element is not None else None
        if address is None and element is not None and not element.tag.endswith("}DistinguishedFolderId"):
            return self._delegated(self._owner(any_id or element.get("Id") or ""))
        if address is None:
            raise SoapFault("ErrorMissingEmailAddress", "The account has no mailbox of its own.")
        mailbox = self.store.get(address)
        if mailbox is None:
            raise ItemFault("ErrorNonExistentMailbox", "The SMTP address has no mailbox associated with it.")
        return self._delegated(mailbox)

    def _delegated(self, mailbox: Mailbox) -> Mailbox:
        if not self.principal.reads(mailbox.address):
            raise ItemFault("ErrorAccessDenied", ACCESS_DENIED)
        return mailbox

    def _owner(self, any_id: str) -> Mailbox:
        for mailbox in self.store:
            if mailbox.holds(any_id):
                return mailbox
        raise ItemFault("ErrorItemNotFound", NOT_FOUND)

    def _folder(self, call: Call, element: etree._Element | None) -> tuple[Mailbox, Folder]:
        if element is None:
            raise SoapFault("ErrorSchemaValidation", "No folder is named.")
        if etree.QName(element).localname == "FolderId":
            ids.check_folder_id(element)
        mailbox = self._mailbox(call, element)
        name = element.get("Id") or ""
        if call.version < DISTINGUISHED_SINCE.get(name, ""):
            raise SoapFault("ErrorSchemaValidation", f"{call.version} has no distinguished folder with this name.")
        with mailbox.lock:
            if etree.QName(element).localname == "DistinguishedFolderId":
                tops = {"msgfolderroot": mailbox.root, "root": mailbox.store_root}
                found = tops.get(name) or mailbox.named(name)
            else:
                found = mailbox.by_id(name)
        if found is None:
            raise ItemFault("ErrorFolderNotFound", "The specified folder could not be found in the store.")
        return mailbox, found

    # ---- operations -----------------------------------------------------------------------------------------------

    def _convert_id(self, call: Call) -> str:
        sources = call.body.findall("m:SourceIds/*", NS)
        return "".join(failure("ConvertId", ItemFault("ErrorInvalidIdMalformed", "Id is malformed.")) for _ in sources)

    def _get_folder(self, call: Call) -> str:
        fields = shapes.asked(call)

        def one(element: etree._Element) -> str:
            mailbox, folder = self._folder(call, element)
            with mailbox.lock:
                xml = shapes.folder_xml(mailbox, folder, fields)
            return success("GetFolder", f"<m:Folders>{xml}</m:Folders>")

        return self._each(call, "m:FolderIds/*", one)

    def _find_folder(self, call: Call) -> str:
        fields = shapes.asked(call)
        deep = call.body.get("Traversal") == "Deep"
        wanted, view = folder_restriction(call), paging.view(call, "IndexedPageFolderView")

        def one(element: etree._Element) -> str:
            mailbox, root = self._folder(call, element)
            with mailbox.lock:
                found = [
                    folder
                    for folder in mailbox.whole_tree()
                    if folder.parent_id == root.id or (deep and mailbox.is_below(folder, root))
                ]
                page = view.page([folder for folder in found if wanted(folder)])
                xml = "".join(shapes.folder_xml(mailbox, folder, fields) for folder in page.rows)
            return success("FindFolder", f"<m:RootFolder {page.attributes}><t:Folders>{xml}</t:Folders></m:RootFolder>")

        return self._each(call, "m:ParentFolderIds/*", one)

    def _sync_hierarchy(self, call: Call) -> str:
        fields = shapes.asked(call)

        def one(element: etree._Element | None) -> str:
            if element is None:
                # The element is optional. Without an element, the whole store is listed.
                mailbox = self._mailbox(call)
                top = mailbox.store_root
            else:
                mailbox, top = self._folder(call, element)
            with mailbox.lock:
                page = tree_changes(mailbox, top, call.text("m:SyncState") or "")
                changes = "".join(self._folder_change(mailbox, change, fields) for change in page.changes)
            return success("SyncFolderHierarchy", _sync_content(page, changes, "IncludesLastFolderInRange"))

        return self._synced(call, "m:SyncFolderId/*", one, "IncludesLastFolderInRange")

    def _folder_change(self, mailbox: Mailbox, change: tuple[ChangeKind, str], fields: set[str]) -> str:
        what, folder_id = change
        if what is ChangeKind.DELETE:
            return f"<t:Delete><t:FolderId Id={quoteattr(folder_id)}/></t:Delete>"
        folder = mailbox.by_id(folder_id)
        assert folder is not None
        xml = shapes.folder_xml(mailbox, folder, fields)
        return f"<t:{what.value}>{xml}</t:{what.value}>"

    def _sync_items(self, call: Call) -> str:
        most = call.number("m:MaxChangesReturned")
        if not 1 <= most <= MAX_CHANGES:
            raise SoapFault("ErrorSchemaValidation", f"MaxChangesReturned must be from 1 to {MAX_CHANGES}.")

        def one(element: etree._Element) -> str:
            wanted = items.asked(call, listing=True)
            mailbox, folder = self._folder(call, element)
            _check_readable(folder)
            with mailbox.lock:
                page = item_changes(mailbox, folder, call.text("m:SyncState") or "", most)
                changes = "".join(_item_change(folder, change, wanted) for change in page.changes)
            return success("SyncFolderItems", _sync_content(page, changes, "IncludesLastItemInRange"))

        return self._synced(call, "m:SyncFolderId/*", one, "IncludesLastItemInRange")

    def _get_item(self, call: Call) -> str:
        wanted = items.asked(call)

        def one(element: etree._Element) -> str:
            mailbox, item = self._readable_item(call, element, element.get("Id") or "", ids.check_item_id)
            return success("GetItem", f"<m:Items>{self._item(mailbox, item, wanted)}</m:Items>")

        return self._each(call, "m:ItemIds/*", one)

    def _readable_item(
        self, call: Call, element: etree._Element, item_id: str, check: Callable[[etree._Element], object]
    ) -> tuple[Mailbox, Item]:
        """The item of an id.

        Raises `ItemFault` or `SoapFault` if `check` refuses the id, or if the account cannot read the item.
        """
        check(element)
        mailbox = self._mailbox(call, element, item_id)
        try:
            with mailbox.lock:
                item = mailbox.item(item_id)
        except KeyError:
            raise ItemFault("ErrorItemNotFound", NOT_FOUND) from None
        _check_item_readable(mailbox.folders[item.folder_id])
        return mailbox, item

    def _item(self, mailbox: Mailbox, item: Item, wanted: items.RequestedProperties) -> str:
        for rule in self.faults.lasting_rules("item"):
            if _is_about(rule, mailbox, item) and self.faults.applies(rule):
                return _broken(item, rule.options["code"], wanted)
        return items.item_xml(item, wanted)

    def _find_item(self, call: Call) -> str:
        search = finding.Search.read(call)

        def one(element: etree._Element) -> str:
            wanted = items.asked(call, listing=True)
            mailbox, folder = self._folder(call, element)
            _check_readable(folder)
            with mailbox.lock:
                page = search.page(folder)
                xml = "".join(items.item_xml(item, wanted) for item in page.rows)
            return success("FindItem", f"<m:RootFolder {page.attributes}><t:Items>{xml}</t:Items></m:RootFolder>")

        return self._each(call, "m:ParentFolderIds/*", one)

    def _get_attachment(self, call: Call) -> str:
        def one(element: etree._Element) -> str:
            item_id, index = ids.read_attachment_id(element)
            _, item = self._readable_item(call, element, item_id, lambda _: None)
            attached = contents_of(item.mail).attachments
            if index >= len(attached):
                raise ItemFault("ErrorInvalidAttachmentId", "The attachment was not found.")
            xml = attachment_xml(item, index, attached[index])
            return success("GetAttachment", f"<m:Attachments>{xml}</m:Attachments>")

        return self._each(call, "m:AttachmentIds/*", one)

    def _refused(self, call: Call) -> str:
        """The response to a write, with one error for each object of the request: the account may only read."""
        named = sum(len(call.body.findall(f"m:{name}/*", NS)) for name in NAMED_IN_WRITES)
        return failure(call.operation, ItemFault("ErrorAccessDenied", ACCESS_DENIED)) * max(1, named)

    # ---- response messages ----------------------------------------------------------------------------------------

    def _each(self, call: Call, path: str, one: Callable[[etree._Element], str]) -> str:
        messages = []
        for element in call.body.findall(path, NS):
            try:
                messages.append(one(element))
            except ItemFault as error:
                messages.append(failure(call.operation, error))
        return "".join(messages)

    def _synced(self, call: Call, path: str, one: Callable[[etree._Element], str], last: str) -> str:
        without_state = any(rule.options.get("bare") for rule in self.faults.lasting_rules("invalid-state"))
        content = "" if without_state else f"<m:SyncState/><m:{last}>true</m:{last}>"
        try:
            return one(call.body.find(path, NS))  # type: ignore[arg-type]
        except StateRefused:
            text = "Synchronization state data is corrupt or otherwise invalid."
            return failure(call.operation, ItemFault("ErrorInvalidSyncStateData", text), content)
        except ItemFault as error:
            code = "ErrorSyncFolderNotFound" if error.code == "ErrorFolderNotFound" else error.code
            return failure(call.operation, ItemFault(code, error.text), content)

    def _envelope(self, call: Call, messages: str) -> bytes:
        return envelope(call.operation, messages, self._server(call))


def _check_readable(folder: Folder) -> None:
    if folder.forbidden:
        denied = folder.denied_as == "ErrorAccessDenied"
        text = ACCESS_DENIED if denied else NOT_FOUND
        raise ItemFault(folder.denied_as, text)


def _check_item_readable(folder: Folder) -> None:
    """Like `_check_readable`, but the error names a missing item instead of a missing folder."""
    if folder.forbidden and folder.denied_as != "ErrorAccessDenied":
        raise ItemFault("ErrorItemNotFound", NOT_FOUND)
    _check_readable(folder)


def _sync_content(page: Page, changes: str, last: str) -> str:
    return (
        f"<m:SyncState>{page.state}</m:SyncState><m:{last}>{str(page.last).lower()}</m:{last}>"
        f"<m:Changes>{changes}</m:Changes>"
    )


def _item_change(folder: Folder, change: tuple[ChangeKind, str], wanted: items.RequestedProperties) -> str:
    what, item_id = change
    if what is ChangeKind.DELETE:
        return f"<t:Delete><t:ItemId Id={quoteattr(item_id)}/></t:Delete>"
    item = folder.items[item_id]
    if what is ChangeKind.READ:
        return f"<t:ReadFlagChange>{items.id_xml(item)}<t:IsRead>{str(item.read).lower()}</t:IsRead></t:ReadFlagChange>"
    return f"<t:{what.value}>{items.item_xml(item, wanted)}</t:{what.value}>"


def _is_about(rule: Rule, mailbox: Mailbox, item: Item) -> bool:
    named = rule.options.get("item_id") == item.id or rule.options.get("message_id") == item.mail.message_id
    return named and rule.matches("GetItem", mailbox.address)


def _broken(item: Item, code: str, wanted: items.RequestedProperties) -> str:
    """The element of an item with a scripted fault."""
    if code == "broken-base64":
        return items.item_xml(item, wanted, base64_text="!!!! this is no base64 !!!!")
    if code == "unknown-element":
        return f"<t:SharingMessage>{items.id_xml(item)}</t:SharingMessage>"
    if code == "control-character":
        xml = items.item_xml(item, wanted)
        return xml.replace("<t:ConversationTopic>", "<t:ConversationTopic>&#x1;", 1)
    if code in pages.KINDS:
        return items.item_xml(
            item,
            wanted,
            base64_text=base64.b64encode(pages.replacement_body(item.mail.content(), code)).decode("ascii"),
        )
    raise ItemFault(code)
