"""Well-formed XML that is not the expected response: an `IntegrationError` or an incomplete result, nothing else."""

from __future__ import annotations

import itertools
import random
import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from lxml import etree

from integrations.errors import ExchangeFailed, IntegrationError
from integrations.ews.source import ExchangeSource
from integrations.messages import FolderId
from simulators.exchange import Store, mail_of
from simulators.exchange.soap import SOAP
from simulators.http import Request, Response
from tests.integrations.ews.peers import ADDRESS, answers_of, modified, peer
from tests.mails import mail

EMPTY = f'<s:Envelope xmlns:s="{SOAP}"><s:Body>%s</s:Body></s:Envelope>'
STRANGE = {
    "no envelope": b"<a/>",
    "an empty body": (EMPTY % "").encode(),
    "something else in the body": (EMPTY % "<b/>").encode(),
    "an empty fault": (EMPTY % "<s:Fault/>").encode(),
    "an entity bomb": b'<!DOCTYPE a [<!ENTITY b "xxxxxxxxxx"><!ENTITY c "&b;&b;&b;">]><a>&c;</a>',
    "nothing": b"",
}


def mailbox() -> Store:
    store = Store([ADDRESS])
    for number in range(3):
        store[ADDRESS].deliver(mail_of(mail(str(number))))
    return store


def run_sync(source: ExchangeSource, store: Store) -> None:
    """Make all calls of a sync. An `IntegrationError` of one call does not prevent the next calls."""
    inbox = FolderId(store[ADDRESS].distinguished("inbox").id)
    changes = []
    for work in (
        source.check,
        lambda: source.folders(None),
        lambda: changes.extend(change for page in source.changes(inbox, None) for change in page.changes),
        lambda: list(source.fetch(changes)),
    ):
        try:
            work()
        except IntegrationError:
            continue


@pytest.mark.parametrize("body", STRANGE.values(), ids=STRANGE.keys())
def test_an_invalid_response_is_an_integration_error(body: bytes) -> None:
    store = mailbox()
    with peer(modified(answers_of(store), lambda _: body)) as peer_server, pytest.raises(IntegrationError):
        ExchangeSource(peer_server.settings, ADDRESS).check()


def test_a_server_that_repeats_one_page_forever_is_a_failure() -> None:
    store = mailbox()
    original = answers_of(store)

    def answer(request: Request) -> Response:
        without_state = replace(request, body=re.sub(rb"<m:SyncState>[^<]*</m:SyncState>", b"", request.body))
        response = original(without_state)
        body = re.sub(rb"(?<=<m:SyncState>)[^<]*", b"same", response.body)
        return replace(response, body=body.replace(b"LastItemInRange>true", b"LastItemInRange>false"))

    inbox = FolderId(store[ADDRESS].distinguished("inbox").id)
    with peer(answer) as peer_server:
        pages = itertools.islice(ExchangeSource(peer_server.settings, ADDRESS).changes(inbox, None), 10)
        with pytest.raises(ExchangeFailed):
            list(pages)


def random_damage(seed: int) -> Callable[[bytes], bytes]:
    """Return a function that removes or changes an element, an attribute or a text at random."""
    chance = random.Random(seed)

    def modify(body: bytes) -> bytes:
        root = etree.fromstring(body)
        element = chance.choice(list(root.iter()))
        match chance.randrange(4):
            case 0 if element.getparent() is not None:
                element.getparent().remove(element)
            case 1 if element.attrib:
                del element.attrib[chance.choice(sorted(element.attrib))]
            case 2:
                element.text = chance.choice(["", "nonsense", "-1", "99999999999999999999"])
            case _:
                element.tag = "{http://elsewhere.example/}Other"
        return etree.tostring(root)

    return modify


@pytest.mark.parametrize("seed", range(20))
def test_a_damaged_response_is_an_integration_error_or_an_incomplete_result(seed: int) -> None:
    store = mailbox()
    with peer(modified(answers_of(store), random_damage(seed))) as peer_server:
        source = ExchangeSource(peer_server.settings, ADDRESS)
        for _ in range(4):
            run_sync(source, store)
