"""The operations of EWS that a reader needs, answered for one account. Everything else is refused to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from lxml import etree

from simulators import pages
from simulators.exchange import shapes, strictness
from simulators.exchange.accounts import Principal
from simulators.exchange.changes import Page, StateRefused, What, item_changes, tree_changes
from simulators.exchange.servers import DISTINGUISHED_SINCE, VERSIONS, newest
from simulators.exchange.soap import NS, Call, ItemFault, SoapFault, envelope, failure, quoteattr, success
from simulators.exchange.store import Folder, Item, Mailbox, Store
from simulators.faults import Faults, Rule

WRITES = {
    "CreateItem", "UpdateItem", "DeleteItem", "MoveItem", "CopyItem", "SendItem", "CreateFolder", "UpdateFolder",
    "DeleteFolder", "MoveFolder", "EmptyFolder", "MarkAllItemsAsRead", "ArchiveItem", "CreateAttachment",
    "DeleteAttachment", "MarkAsJunk",
}  # fmt: skip
MOST_CHANGES = 512


@dataclass(frozen=True)
class Desk:
    """Answers the calls of one principal."""

    store: Store
    faults: Faults
    principal: Principal
    version: str

    def answer(self, call: Call) -> bytes:
        """The whole envelope. Raises `SoapFault` where all of it fails."""
        server = self._server(call)
        if call.version not in VERSIONS:
            raise SoapFault("ErrorInvalidServerVersion", "The specified server version is invalid.")
        if call.version > newest(server):
            text = "A request was passed on to a server that does not take its version."
            raise SoapFault("ErrorInvalidSchemaVersionForMailboxVersion", text)
        if call.operation in WRITES:
            return self._envelope(call, failure(call.operation, ItemFault("ErrorAccessDenied", "Read rights only.")))
        operations: dict[str, Callable[[Call], str]] = {
            "ConvertId": self._convert_id,
            "GetFolder": self._get_folder,
            "FindFolder": self._find_folder,
            "SyncFolderHierarchy": self._sync_hierarchy,
            "SyncFolderItems": self._sync_items,
            "GetItem": self._get_item,
        }
        if call.operation not in operations:
            raise SoapFault("ErrorInvalidRequest", f"{call.operation} is not simulated.")
        strictness.check(call)
        return self._envelope(call, operations[call.operation](call))

    def _server(self, call: Call) -> str:
        """The build of the server that answers: that of the mailbox."""
        mailbox = self.store.get(self.mailbox_named(call))
        if mailbox is None:
            ids = [element.get("Id") or "" for element in call.body.iterfind(".//*[@Id]", NS)]
            mailbox = next((one for one in self.store if ids and one.server and one.holds(ids[0])), None)
        return (mailbox.server if mailbox is not None else "") or self.version

    def mailbox_named(self, call: Call) -> str:
        """Whose mailbox a call is about, for rules of faults: as its header or its folder says."""
        address = call.body.findtext(".//t:Mailbox/t:EmailAddress", namespaces=NS)
        return call.impersonated or address or ""

    # ---- whose mailbox --------------------------------------------------------------------------------------------

    def _mailbox(self, call: Call, element: etree._Element | None = None) -> Mailbox:
        """The mailbox that this call may read. Raises as Exchange does where it may not."""
        if call.impersonated is not None:
            if self.store.get(call.impersonated) is None:
                raise SoapFault("ErrorNonExistentMailbox", "The SMTP address has no mailbox associated with it.")
            if not self.principal.impersonates(call.impersonated):
                raise SoapFault("ErrorImpersonateUserDenied", "The account does not have permission to impersonate.")
            impersonated: Mailbox = self.store[call.impersonated]
            return impersonated
        if self.principal.application:
            raise SoapFault("ErrorAccessDenied", "An application must impersonate the mailbox that it reads.")
        address = element.findtext("t:Mailbox/t:EmailAddress", namespaces=NS) if element is not None else None
        if address is None and element is not None and not element.tag.endswith("}DistinguishedFolderId"):
            return self._delegated(self._owner(element.get("Id") or ""))
        if address is None:
            raise SoapFault("ErrorMissingEmailAddress", "The account has no mailbox of its own.")
        mailbox = self.store.get(address)
        if mailbox is None:
            raise ItemFault("ErrorNonExistentMailbox", "The SMTP address has no mailbox associated with it.")
        return self._delegated(mailbox)

    def _delegated(self, mailbox: Mailbox) -> Mailbox:
        if not self.principal.reads(mailbox.address):
            raise ItemFault("ErrorAccessDenied", "Access is denied. Check credentials and try again.")
        return mailbox

    def _owner(self, any_id: str) -> Mailbox:
        for mailbox in self.store:
            if mailbox.holds(any_id):
                return mailbox
        raise ItemFault("ErrorItemNotFound", "The specified object was not found in the store.")

    def _folder(self, call: Call, element: etree._Element | None) -> tuple[Mailbox, Folder]:
        if element is None:
            raise SoapFault("ErrorSchemaValidation", "No folder is named.")
        mailbox = self._mailbox(call, element)
        name = element.get("Id") or ""
        if call.version < DISTINGUISHED_SINCE.get(name, ""):
            raise SoapFault("ErrorSchemaValidation", f"{call.version} has no folder of this name.")
        with mailbox.lock:
            if etree.QName(element).localname == "DistinguishedFolderId":
                found = mailbox.root if name in ("msgfolderroot", "root") else mailbox.named(name)
            else:
                found = mailbox.root if name == mailbox.root.id else mailbox.folders.get(name)
        if found is None:
            raise ItemFault("ErrorFolderNotFound", "The specified folder could not be found in the store.")
        return mailbox, found

    # ---- operations -----------------------------------------------------------------------------------------------

    def _convert_id(self, call: Call) -> str:
        sources = call.body.findall("m:SourceIds/*", NS)
        return "".join(failure("ConvertId", ItemFault("ErrorInvalidIdMalformed", "Id is malformed.")) for _ in sources)

    def _get_folder(self, call: Call) -> str:
        fields = shapes.asked(call, "FolderShape")
        everything = call.text("m:FolderShape/t:BaseShape") != "IdOnly"

        def one(element: etree._Element) -> str:
            mailbox, folder = self._folder(call, element)
            with mailbox.lock:
                xml = shapes.folder_xml(mailbox, folder, fields, everything=everything)
            return success("GetFolder", f"<m:Folders>{xml}</m:Folders>")

        return self._each(call, "m:FolderIds/*", one)

    def _find_folder(self, call: Call) -> str:
        fields = shapes.asked(call, "FolderShape")
        everything = call.text("m:FolderShape/t:BaseShape") != "IdOnly"
        deep = call.body.get("Traversal") == "Deep"

        def one(element: etree._Element) -> str:
            mailbox, root = self._folder(call, element)
            with mailbox.lock:
                found = [
                    folder
                    for folder in mailbox.folders.values()
                    if folder.parent_id == root.id or (deep and _is_below(mailbox, folder, root))
                ]
                xml = "".join(shapes.folder_xml(mailbox, folder, fields, everything=everything) for folder in found)
            return success(
                "FindFolder",
                f'<m:RootFolder IndexedPagingOffset="{len(found)}" TotalItemsInView="{len(found)}"'
                f' IncludesLastItemInRange="true"><t:Folders>{xml}</t:Folders></m:RootFolder>',
            )

        return self._each(call, "m:ParentFolderIds/*", one)

    def _sync_hierarchy(self, call: Call) -> str:
        fields = shapes.asked(call, "FolderShape")
        everything = call.text("m:FolderShape/t:BaseShape") != "IdOnly"

        def one(element: etree._Element) -> str:
            mailbox, _ = self._folder(call, element)
            with mailbox.lock:
                page = tree_changes(mailbox, call.text("m:SyncState") or "")
                changes = "".join(self._folder_change(mailbox, change, fields, everything) for change in page.changes)
            return success("SyncFolderHierarchy", _sync_content(page, changes, "IncludesLastFolderInRange"))

        return self._synced(call, "m:SyncFolderId/*", one, "IncludesLastFolderInRange")

    def _folder_change(self, mailbox: Mailbox, change: tuple[What, str], fields: set[str], everything: bool) -> str:
        what, folder_id = change
        if what is What.DELETE:
            return f"<t:Delete><t:FolderId Id={quoteattr(folder_id)}/></t:Delete>"
        xml = shapes.folder_xml(mailbox, mailbox.folders[folder_id], fields, everything=everything)
        return f"<t:{what.value}>{xml}</t:{what.value}>"

    def _sync_items(self, call: Call) -> str:
        most = call.number("m:MaxChangesReturned")
        if not 1 <= most <= MOST_CHANGES:
            raise SoapFault("ErrorSchemaValidation", f"MaxChangesReturned must be from 1 to {MOST_CHANGES}.")
        fields = shapes.asked(call, "ItemShape")

        def one(element: etree._Element) -> str:
            shapes.listable(fields)
            mailbox, folder = self._folder(call, element)
            _check_readable(folder)
            with mailbox.lock:
                page = item_changes(mailbox, folder, call.text("m:SyncState") or "", most)
                changes = "".join(_item_change(folder, change, fields) for change in page.changes)
            return success("SyncFolderItems", _sync_content(page, changes, "IncludesLastItemInRange"))

        return self._synced(call, "m:SyncFolderId/*", one, "IncludesLastItemInRange")

    def _get_item(self, call: Call) -> str:
        fields = shapes.asked(call, "ItemShape")
        with_mime = call.text("m:ItemShape/t:IncludeMimeContent") == "true" or "item:MimeContent" in fields

        def one(element: etree._Element) -> str:
            mailbox = self._mailbox(call, element)
            try:
                with mailbox.lock:
                    item = mailbox.item(element.get("Id") or "")
            except KeyError:
                text = "The specified object was not found in the store."
                raise ItemFault("ErrorItemNotFound", text) from None
            _check_readable(mailbox.folders[item.folder_id])
            return success("GetItem", f"<m:Items>{self._item(mailbox, item, fields, with_mime)}</m:Items>")

        return self._each(call, "m:ItemIds/*", one)

    def _item(self, mailbox: Mailbox, item: Item, fields: set[str], with_mime: bool) -> str:
        for rule in self.faults.standing("item"):
            if _is_about(rule, mailbox, item) and self.faults.strikes(rule):
                return _broken(item, rule.options["code"], fields)
        return shapes.item_xml(item, fields, mime=item.mail.content() if with_mime else None)

    # ---- each of several ------------------------------------------------------------------------------------------

    def _each(self, call: Call, path: str, one: Callable[[etree._Element], str]) -> str:
        messages = []
        for element in call.body.findall(path, NS):
            try:
                messages.append(one(element))
            except ItemFault as error:
                messages.append(failure(call.operation, error))
        return "".join(messages)

    def _synced(self, call: Call, path: str, one: Callable[[etree._Element], str], last: str) -> str:
        without_state = any(rule.options.get("bare") for rule in self.faults.standing("invalid-state"))
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
        raise ItemFault("ErrorAccessDenied", "Access is denied. Check credentials and try again.")


def _sync_content(page: Page, changes: str, last: str) -> str:
    return (
        f"<m:SyncState>{page.state}</m:SyncState><m:{last}>{str(page.last).lower()}</m:{last}>"
        f"<m:Changes>{changes}</m:Changes>"
    )


def _item_change(folder: Folder, change: tuple[What, str], fields: set[str]) -> str:
    what, item_id = change
    if what is What.DELETE:
        return f"<t:Delete><t:ItemId Id={quoteattr(item_id)}/></t:Delete>"
    item = folder.items[item_id]
    if what is What.READ:
        return (
            f"<t:ReadFlagChange>{shapes.id_xml(item)}<t:IsRead>{str(item.read).lower()}</t:IsRead></t:ReadFlagChange>"
        )
    return f"<t:{what.value}>{shapes.item_xml(item, fields)}</t:{what.value}>"


def _is_about(rule: Rule, mailbox: Mailbox, item: Item) -> bool:
    named = rule.options.get("item_id") == item.id or rule.options.get("message_id") == item.mail.message_id
    return named and rule.matches("GetItem", mailbox.address)


def _broken(item: Item, code: str, fields: set[str]) -> str:
    """An item that cannot be handed out as it should."""
    if code == "broken-base64":
        return shapes.item_xml(item, fields, base64_text="!!!! this is no base64 !!!!")
    if code == "unknown-element":
        return f"<t:SharingMessage>{shapes.id_xml(item)}</t:SharingMessage>"
    if code == "control-character":
        xml = shapes.item_xml(item, fields, mime=item.mail.content())
        return xml.replace("<t:ConversationTopic>", "<t:ConversationTopic>&#x1;", 1)
    if code in pages.KINDS:
        return shapes.item_xml(item, fields, mime=pages.in_place_of(item.mail.content(), code))
    raise ItemFault(code)


def _is_below(mailbox: Mailbox, folder: Folder, root: Folder) -> bool:
    while folder.parent_id and folder.parent_id != mailbox.root.id:
        if folder.parent_id == root.id:
            return True
        folder = mailbox.folders[folder.parent_id]
    return folder.parent_id == root.id
