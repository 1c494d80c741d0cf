"""Every error code in exchangelib has an error class, is interpreted by `fetch`, or is in a list of irrelevant codes."""

from __future__ import annotations

import re

import pytest
from exchangelib import errors as library

from integrations import errors
from integrations.ews import fetch
from integrations.ews.codes import _CODES, BY_CODE, kind_of

IRRELEVANT = {
    "appointments and tasks": (
        r"Calendar \w*Recurrence Occurrence \w+Task TimeZone WorkingHours NoCalendar Meeting SendMeeting "
        r"SentMeeting"
    ),
    "free times and absence": (
        r"\w*FreeBusy \w*Oof AvailabilityConfig MailboxDataArray IndividualMailbox \w*TimeInterval ResultSetTooBig "
        r"AddressSpaceNotFound AutoDiscoverFailed LogonAsNetworkService InvalidAccessLevel "
        r"InvalidSecurityDescriptor"
    ),
    "telephones": r"\w*UnifiedMessaging \w*Phone \w*SIPUri IPGateway VoiceMail MailTips",
    "subscriptions": (
        r"\w*Subscription \w*Watermark EventNotFound ReadEvents MissedNotification NewEventStream InvalidPushSub"
    ),
    "sharing and federation": (r"\w*Sharing \w*Federat NotAllowedExternal UserNotAllowedByPolicy PermissionNotAllowed"),
    "delegates and permissions": (
        r"\w*Delegate(?!AccessDenied) \w*UserId InvalidUserInfo \w*Permission DistinguishedUser GetServerSecurity"
    ),
    "managed folders, rules, public folders": r"\w*ManagedFolder DuplicateInputFolderNames \w*Rule \w*PublicFolder",
    "searches and views": (
        r"\w*Restriction \w*Sub[Ff]ilter \w*Paging \w*Query \w*SortGroup ContainsFilter SearchFolder "
        r"ExceededFindCount ValueOutOfRange InvalidValueForProperty"
    ),
    "names and lists": (
        r"NameResolution ResolveNames InvalidNameFor DistributionList ADSessionFilter EmailAddressMismatch "
        r"InvalidIdReturnedByResolveNames \w*ContactEmail InvalidMailbox InvalidRoutingType "
        r"MissingInformationEmailAddress"
    ),
    "tracking of messages": r"MessageTracking",
    "requests for attachments": r"\w*Attachment",
    "operations that write": (
        r"\w*Save \w*Create \w*Delete \w*Update \w*Move \w*Copy CannotEmpty CannotSet Send Submission \w*Quota "
        r"\w*ReadReceipt \w*ChangeKey InvalidItemForOperation InvalidRecipients MissingRecipients "
        r"MessageDisposition InvalidReferenceItem FolderExists \w*ParentFolder ToFolderNotFound "
        r"IrresolvableConflict StaleObject NoFolderClassOverride ObjectTypeChanged InvalidPropert RequiredProperty "
        r"InvalidComplete InvalidPercent InvalidInternetHeader MissingInformationReference UnsupportedCulture "
        r"Conversation ApplyConversation InvalidCompleteDate InvalidRestoredProperties PropertyUpdate"
    ),
    "extended properties, and properties of other items": (
        r"InvalidExtendedProperty UnsupportedMapi UnsupportedProperty NoPropertyTag"
    ),
    "identities that we do not send": (
        r"InvalidSid InvalidUserSid TokenSerialization InvalidProxySecurityContext InvalidIdXml InvalidIdNotAnItem"
    ),
    "never returned, according to Microsoft": (
        r"AccessModeSpecified InvalidLogonType LocalServerObject ResponseSchemaValidation InvalidExpressionType"
    ),
    "faults of a folder, which are transient failures": (
        r"FolderCorrupt FolderPropertyRequest InvalidFolderId InvalidFolderType CannotUseItemIdForFolderId "
        r"RecoverableItems"
    ),
}
"""Patterns of codes that do not concern reading mail, by subject. Such a code from Exchange is a transient failure."""

CODES = sorted(name for name in vars(library) if re.fullmatch(r"Error[A-Z]\w+", name))


def families(code: str) -> list[str]:
    return [name for name, words in IRRELEVANT.items() if re.match(f"Error(?:{'|'.join(words.split())})", code)]


def test_each_code_of_exchangelib_has_an_error_class_or_is_irrelevant() -> None:
    of_items = fetch.ITEM_FAULTS | fetch.ITEM_OR_MAILBOX_FAULTS | fetch.GONE | fetch.NOT_PROCESSED
    assert [code for code in CODES if not (code in BY_CODE or code in of_items or families(code))] == []


def test_each_irrelevant_family_matches_a_code() -> None:
    matched = {name for code in CODES for name in families(code)}
    assert matched == set(IRRELEVANT)


def test_no_code_has_two_error_classes() -> None:
    codes = [code for named in _CODES.values() for code in named]
    assert len(codes) == len(set(codes))


@pytest.mark.parametrize("code", ["ErrorSomethingNew", "ErrorCalendarOutOfRange", ""])
def test_an_unknown_code_is_a_transient_failure(code: str) -> None:
    assert kind_of(code) is errors.ExchangeFailed
    assert issubclass(kind_of(code), errors.Transient)
