"""FindItem with its pages, order and restrictions, and the base shapes of items and folders."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from lxml import etree

from simulators.exchange import mail_of
from simulators.exchange.soap import NS
from tests.mails import mail
from tests.simulators.exchange.conftest import EwsClient

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
FIRST_TEN = '<m:IndexedPageItemView MaxEntriesReturned="10" Offset="0" BasePoint="Beginning"/>'


def find_item(
    *, view: str = "", restriction: str = "", order: str = "", shape: str = "IdOnly", traversal: str = "Shallow"
) -> str:
    wanted = f"<m:Restriction>{restriction}</m:Restriction>" if restriction else ""
    return (
        f'<m:FindItem Traversal="{traversal}"><m:ItemShape><t:BaseShape>{shape}</t:BaseShape><t:AdditionalProperties>'
        f'<t:FieldURI FieldURI="item:Subject"/></t:AdditionalProperties></m:ItemShape>{view}{wanted}{order}'
        '<m:ParentFolderIds><t:DistinguishedFolderId Id="inbox"/></m:ParentFolderIds></m:FindItem>'
    )


def order_by(path: str) -> str:
    return f'<m:SortOrder><t:FieldOrder Order="Ascending"><t:FieldURI FieldURI="{path}"/></t:FieldOrder></m:SortOrder>'


def compared(how: str, path: str, value: str) -> str:
    constant = f'<t:FieldURIOrConstant><t:Constant Value="{value}"/></t:FieldURIOrConstant>'
    return f'<t:{how}><t:FieldURI FieldURI="{path}"/>{constant}</t:{how}>'


@pytest.fixture
def filled(ews_client: EwsClient) -> EwsClient:
    """A mailbox with five emails in the inbox, received an hour apart. The two oldest emails are marked as read."""
    for number, name in enumerate(("apple", "Banana", "cherry", "damson", "elder")):
        item = ews_client.mailbox.deliver(mail_of(mail(name, subject=name, sent=NOON + timedelta(hours=number))))
        ews_client.mailbox.mark_read(item.id, read=number < 2)
    return ews_client


def root(ews_client: EwsClient, body: str) -> etree._Element:
    found = etree.fromstring(ews_client.post(body).content).find(".//m:RootFolder", NS)
    assert found is not None
    return found


def subjects(ews_client: EwsClient, body: str) -> list[str]:
    return [element.text or "" for element in root(ews_client, body).iterfind(".//t:Subject", NS)]


def test_all_items_are_found_newest_first(filled: EwsClient) -> None:
    assert subjects(filled, find_item()) == ["elder", "damson", "cherry", "Banana", "apple"]
    assert subjects(filled, find_item(traversal="Associated")) == []
    assert filled.codes(find_item(traversal="Deep")) == ["ErrorSchemaValidation"]


@pytest.mark.parametrize(
    ("most", "offset", "base", "found", "place"),
    [
        (2, 0, "Beginning", ["elder", "damson"], ("2", "5", "false")),
        (2, 2, "Beginning", ["cherry", "Banana"], ("4", "5", "false")),
        (2, 4, "Beginning", ["apple"], ("5", "5", "true")),
        (2, 9, "Beginning", [], ("9", "5", "true")),
        (2, 0, "End", ["Banana", "apple"], ("2", "5", "false")),
        (4, 2, "End", ["elder", "damson", "cherry"], ("5", "5", "true")),
    ],
)
def test_a_page_contains_the_offset_of_the_next_page(
    filled: EwsClient, most: int, offset: int, base: str, found: list[str], place: tuple[str, str, str]
) -> None:
    view = f'<m:IndexedPageItemView MaxEntriesReturned="{most}" Offset="{offset}" BasePoint="{base}"/>'
    page = root(filled, find_item(view=view))
    assert [element.text for element in page.iterfind(".//t:Subject", NS)] == found
    assert (page.get("IndexedPagingOffset"), page.get("TotalItemsInView"), page.get("IncludesLastItemInRange")) == place


@pytest.mark.parametrize(
    ("most", "offset", "code"),
    [("0", "0", "ErrorInvalidPagingMaxRows"), ("5", "-1", "ErrorInvalidIndexedPagingParameters")],
)
def test_a_page_with_invalid_parameters_is_refused(filled: EwsClient, most: str, offset: str, code: str) -> None:
    view = f'<m:IndexedPageItemView MaxEntriesReturned="{most}" Offset="{offset}" BasePoint="Beginning"/>'
    assert filled.codes(find_item(view=view)) == [code]


@pytest.mark.parametrize(
    ("restriction", "found"),
    [
        (compared("IsEqualTo", "message:IsRead", "true"), ["Banana", "apple"]),
        (compared("IsEqualTo", "item:Subject", "BANANA"), ["Banana"]),
        (compared("IsNotEqualTo", "message:IsRead", "true"), ["elder", "damson", "cherry"]),
        (compared("IsGreaterThanOrEqualTo", "item:DateTimeReceived", "2026-03-01T15:00:00Z"), ["elder", "damson"]),
        (compared("IsLessThan", "item:DateTimeReceived", "2026-03-01T14:30:00+01:00"), ["Banana", "apple"]),
        (
            '<t:Contains ContainmentMode="Substring" ContainmentComparison="IgnoreCase">'
            '<t:FieldURI FieldURI="item:Subject"/><t:Constant Value="AN"/></t:Contains>',
            ["Banana"],
        ),
        (
            '<t:Contains ContainmentMode="Prefixed" ContainmentComparison="Exact">'
            '<t:FieldURI FieldURI="item:Subject"/><t:Constant Value="b"/></t:Contains>',
            [],
        ),
        (
            f"<t:And>{compared('IsEqualTo', 'message:IsRead', 'false')}"
            f"<t:Not>{compared('IsEqualTo', 'item:Subject', 'elder')}</t:Not></t:And>",
            ["damson", "cherry"],
        ),
        (
            f"<t:Or>{compared('IsEqualTo', 'item:Subject', 'apple')}"
            f"{compared('IsEqualTo', 'message:InternetMessageId', '&lt;cherry@north.example>')}</t:Or>",
            ["cherry", "apple"],
        ),
        ('<t:Exists><t:FieldURI FieldURI="item:InReplyTo"/></t:Exists>', []),
    ],
)
def test_only_items_that_match_the_restriction_are_found(filled: EwsClient, restriction: str, found: list[str]) -> None:
    assert subjects(filled, find_item(restriction=restriction, view=FIRST_TEN)) == found


def test_an_order_ignores_case(filled: EwsClient) -> None:
    assert subjects(filled, find_item(order=order_by("item:Subject"))) == [
        "apple",
        "Banana",
        "cherry",
        "damson",
        "elder",
    ]
    read_last = order_by("message:IsRead")
    assert subjects(filled, find_item(order=read_last)) == ["elder", "damson", "cherry", "Banana", "apple"]


def test_unsupported_searches_and_orders_are_refused(filled: EwsClient) -> None:
    unsearchable = compared("IsEqualTo", "item:MimeContent", "x")
    assert filled.codes(find_item(restriction=unsearchable)) == ["ErrorUnsupportedPathForQuery"]
    assert filled.codes(find_item(order=order_by("item:Attachments"))) == ["ErrorUnsupportedPathForSortGroup"]
    assert filled.codes(find_item(restriction=compared("IsEqualTo", "item:Size", "big"))) == [
        "ErrorInvalidValueForProperty"
    ]


# ---- shapes -------------------------------------------------------------------------------------------------------


def tags(element: etree._Element) -> list[str]:
    return [etree.QName(child).localname for child in element]


def test_a_listing_has_the_base_shape_without_bodies_recipients_and_addresses(filled: EwsClient) -> None:
    message = root(filled, find_item(shape="Default", view=FIRST_TEN)).find(".//t:Message", NS)
    assert message is not None
    assert tags(message) == [
        "ItemId", "Subject", "Sensitivity", "Size", "DateTimeSent", "DateTimeCreated", "HasAttachments", "IsAssociated",
        "IsReadReceiptRequested", "IsDeliveryReceiptRequested", "From", "IsRead",
    ]  # fmt: skip
    assert tags(message.find("t:From/t:Mailbox", NS)) == ["Name"]
    everything = root(filled, find_item(shape="AllProperties")).find(".//t:Message", NS)
    assert everything is not None
    assert not {"Body", "Attachments", "ToRecipients", "InternetMessageHeaders", "MimeContent"} & set(tags(everything))
    assert {"DisplayTo", "ConversationId", "InternetMessageId", "Culture", "LastModifiedTime"} <= set(tags(everything))


def test_a_fetch_returns_bodies_recipients_and_headers(filled: EwsClient) -> None:
    item = next(iter(filled.mailbox.items()))
    body = (
        "<m:GetItem><m:ItemShape><t:BaseShape>AllProperties</t:BaseShape></m:ItemShape><m:ItemIds>"
        f'<t:ItemId Id="{item.id}"/></m:ItemIds></m:GetItem>'
    )
    message = etree.fromstring(filled.post(body).content).find(".//t:Message", NS)
    assert message is not None
    assert {"Body", "ToRecipients", "InternetMessageHeaders", "ResponseObjects"} <= set(tags(message))
    assert "MimeContent" not in tags(message)
    assert message.findtext("t:From/t:Mailbox/t:EmailAddress", namespaces=NS) == "ann@north.example"
    assert message.findtext("t:Body", namespaces=NS, default="").startswith("Could you look at apple")


@pytest.mark.parametrize(
    ("name", "tag", "expected"),
    [
        ("inbox", "Folder", ["FolderId", "DisplayName", "TotalCount", "ChildFolderCount", "UnreadCount"]),
        ("calendar", "CalendarFolder", ["FolderId", "DisplayName", "ChildFolderCount"]),
        ("contacts", "ContactsFolder", ["FolderId", "DisplayName", "TotalCount", "ChildFolderCount"]),
    ],
)
def test_the_default_shape_of_a_folder_depends_on_the_folder_class(
    ews_client: EwsClient, name: str, tag: str, expected: list[str]
) -> None:
    body = (
        "<m:GetFolder><m:FolderShape><t:BaseShape>Default</t:BaseShape></m:FolderShape><m:FolderIds>"
        f'<t:DistinguishedFolderId Id="{name}"/></m:FolderIds></m:GetFolder>'
    )
    folder = etree.fromstring(ews_client.post(body).content).find(f".//t:{tag}", NS)
    assert folder is not None
    assert tags(folder) == expected
