"""Validates requests against the schema, so that a request without a required element fails in the tests."""

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
"""The required elements of each operation, in the order of the schema."""


def check(call: Call) -> None:
    """Raises `SoapFault` with ErrorSchemaValidation if a required element is missing, incomplete or in the wrong order."""
    names = [element.tag.rpartition("}")[2] for element in call.body.iterchildren("*")]
    wanted = PARTS[call.operation]
    if [name for name in names if name in wanted] != list(wanted):
        raise _refused(f"{call.operation} needs, in this order: {', '.join(wanted)}.")
    for name in wanted:
        if name.endswith(("Ids", "FolderId")) and call.body.find(f"m:{name}/*", NS) is None:
            raise _refused(f"{name} is empty.")
        if name.endswith("Shape") and call.text(f"m:{name}/t:BaseShape") not in SHAPES:
            raise _refused(f"{name} has no valid BaseShape.")


def _refused(text: str) -> SoapFault:
    return SoapFault("ErrorSchemaValidation", f"The request failed schema validation: {text}")
