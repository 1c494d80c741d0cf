"""What the schema demands of a request beyond being XML: a client that forgets a part must fail here, not at a customer's."""

from __future__ import annotations

from simulators.exchange.soap import NS, Call, SoapFault

SHAPES = {"IdOnly", "Default", "AllProperties"}
PARTS = {
    "ConvertId": ("SourceIds",),
    "GetFolder": ("FolderShape", "FolderIds"),
    "FindFolder": ("FolderShape", "ParentFolderIds"),
    "SyncFolderHierarchy": ("FolderShape",),
    "SyncFolderItems": ("ItemShape", "SyncFolderId", "MaxChangesReturned"),
    "GetItem": ("ItemShape", "ItemIds"),
    "FindItem": ("ItemShape", "ParentFolderIds"),
    "GetAttachment": ("AttachmentIds",),
    "GetServerTimeZones": (),
    "ResolveNames": ("UnresolvedEntry",),
}
"""What may not be left out, in the order in which it must stand."""


def check(call: Call) -> None:
    """Raises `SoapFault` ErrorSchemaValidation, as Exchange does for all of a request that does not fit."""
    names = [element.tag.rpartition("}")[2] for element in call.body.iterchildren("*")]
    wanted = PARTS[call.operation]
    if [name for name in names if name in wanted] != list(wanted):
        raise _refused(f"{call.operation} needs, in this order: {', '.join(wanted)}.")
    for name in wanted:
        if name.endswith(("Ids", "FolderId")) and call.body.find(f"m:{name}/*", NS) is None:
            raise _refused(f"{name} is empty.")
        if name.endswith("Shape") and call.text(f"m:{name}/t:BaseShape") not in SHAPES:
            raise _refused(f"{name} has no BaseShape.")


def _refused(text: str) -> SoapFault:
    return SoapFault("ErrorSchemaValidation", f"The request failed schema validation: {text}")
