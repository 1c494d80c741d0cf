"""Every code of Exchange that exchangelib knows was looked at: it has a meaning, or it is known to be none of ours."""

from __future__ import annotations

import re

import pytest
from exchangelib import errors as library

from integrations import errors
from integrations.ews import fetch
from integrations.ews.codes import _CODES, BY_CODE, kind_of

NONE_OF_OURS = {
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
    "attachments by themselves": r"\w*Attachment",
    "what writes": (
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
    "never returned, by Microsoft's page": (
        r"AccessModeSpecified InvalidLogonType LocalServerObject ResponseSchemaValidation InvalidExpressionType"
    ),
    "of a folder, told as a failure": (
        r"FolderCorrupt FolderPropertyRequest InvalidFolderId InvalidFolderType CannotUseItemIdForFolderId "
        r"RecoverableItems"
    ),
}
"""How codes begin, by what they are about. Whatever says one of them all the same is a failure that may pass, with its code."""

CODES = sorted(name for name in vars(library) if re.fullmatch(r"Error[A-Z]\w+", name))


def families(code: str) -> list[str]:
    return [name for name, words in NONE_OF_OURS.items() if re.match(f"Error(?:{'|'.join(words.split())})", code)]


def test_each_code_of_the_library_has_a_meaning_or_is_known_to_be_none_of_ours() -> None:
    of_items = fetch.ITS_OWN | fetch.PERHAPS_ITS_OWN | fetch.GONE | fetch.STOPPED
    assert [code for code in CODES if not (code in BY_CODE or code in of_items or families(code))] == []


def test_no_family_is_about_nothing() -> None:
    met = {name for code in CODES for name in families(code)}
    assert met == set(NONE_OF_OURS)


def test_no_code_has_two_meanings() -> None:
    codes = [code for named in _CODES.values() for code in named]
    assert len(codes) == len(set(codes))


@pytest.mark.parametrize("code", ["ErrorSomethingNew", "ErrorCalendarOutOfRange", ""])
def test_what_has_no_meaning_may_pass(code: str) -> None:
    assert kind_of(code) is errors.ExchangeFailed
    assert issubclass(kind_of(code), errors.Transient)
