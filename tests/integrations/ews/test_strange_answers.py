"""Whole XML that is not what was asked for: an error of ours or a part of the truth, and never anything else."""

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
from tests.integrations.ews.peers import ADDRESS, answers_of, peer, spoiled
from tests.mails import mail

EMPTY = f'<s:Envelope xmlns:s="{SOAP}"><s:Body>%s</s:Body></s:Envelope>'
STRANGE = {
    "no envelope": b"<a/>",
    "an empty body": (EMPTY % "").encode(),
    "something else in the body": (EMPTY % "<b/>").encode(),
    "an empty fault": (EMPTY % "<s:Fault/>").encode(),
    "a bomb of entities": b'<!DOCTYPE a [<!ENTITY b "xxxxxxxxxx"><!ENTITY c "&b;&b;&b;">]><a>&c;</a>',
    "nothing": b"",
}


def mailbox() -> Store:
    store = Store([ADDRESS])
    for number in range(3):
        store[ADDRESS].deliver(mail_of(mail(str(number))))
    return store


def all_of_it(source: ExchangeSource, store: Store) -> None:
    """Everything a sync asks; what fails with an error of ours does not keep the rest from being asked."""
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
def test_what_is_no_answer_is_an_error_of_ours(body: bytes) -> None:
    store = mailbox()
    with peer(spoiled(answers_of(store), lambda _: body)) as made, pytest.raises(IntegrationError):
        ExchangeSource(made.settings, ADDRESS).check()


def test_a_server_that_tells_one_page_for_ever_is_no_endless_loop() -> None:
    store = mailbox()
    usual = answers_of(store)

    def answer(request: Request) -> Response:
        forgetful = replace(request, body=re.sub(rb"<m:SyncState>[^<]*</m:SyncState>", b"", request.body))
        response = usual(forgetful)
        body = re.sub(rb"(?<=<m:SyncState>)[^<]*", b"same", response.body)
        return replace(response, body=body.replace(b"LastItemInRange>true", b"LastItemInRange>false"))

    inbox = FolderId(store[ADDRESS].distinguished("inbox").id)
    with peer(answer) as made:
        pages = itertools.islice(ExchangeSource(made.settings, ADDRESS).changes(inbox, None), 10)
        with pytest.raises(ExchangeFailed):
            list(pages)


def without_something(seed: int) -> Callable[[bytes], bytes]:
    """Takes away an element, an attribute or a text, another one each time."""
    chance = random.Random(seed)

    def spoil(body: bytes) -> bytes:
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

    return spoil


@pytest.mark.parametrize("seed", range(20))
def test_an_answer_that_lacks_something_is_an_error_of_ours_or_less_than_the_truth(seed: int) -> None:
    store = mailbox()
    with peer(spoiled(answers_of(store), without_something(seed))) as made:
        source = ExchangeSource(made.settings, ADDRESS)
        for _ in range(4):
            all_of_it(source, store)
