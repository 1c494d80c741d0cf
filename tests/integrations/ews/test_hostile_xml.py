"""Malicious XML is refused in bounded time and memory, and no file or URL that it references is read."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from integrations.errors import ExchangeFailed, IntegrationError
from integrations.ews import operations
from integrations.ews.mime_texts import MimeTexts
from integrations.ews.operations import parsed
from integrations.ews.source import ExchangeSource
from integrations.messages import FolderId
from simulators.exchange import Store, mail_of
from simulators.exchange.soap import SOAP
from simulators.http import HttpServer, Request, Response
from tests.integrations.ews.peers import ADDRESS, answers_of, modified, peer
from tests.mails import mail

MAX_SECONDS, MAX_MB = 20, 400
LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
ATTRIBUTES = " ".join(f"b{n}=''" for n in range(300_000))
QUADRATIC = "x" * 100_000


def body(inside: str, doctype: str = "") -> bytes:
    return f'{doctype}<s:Envelope xmlns:s="{SOAP}"><s:Body>{inside}</s:Body></s:Envelope>'.encode()


HOSTILE = {
    "a billion laughs": body("<a>&l9;</a>", f'<!DOCTYPE a [<!ENTITY l0 "ha">{LAUGHS}]>'),
    "one large entity many times": body(f"<a>{'&q;' * 10_000}</a>", f'<!DOCTYPE a [<!ENTITY q "{QUADRATIC}">]>'),
    "a parameter entity": body("<a/>", '<!DOCTYPE a [<!ENTITY % p SYSTEM "file:///etc/hostname"> %p;]>'),
    "a million nested elements": body("<a>" * 1_000_000 + "</a>" * 1_000_000),
    "a million attributes": body(f"<a {ATTRIBUTES}/>"),
    "a name of ten megabytes": body(f"<{'n' * 10_000_000}/>"),
    "references to control characters": body("<a>&#0;&#27;</a>"),
    "a reference beyond Unicode": body("<a>&#x110000;</a>"),
    "invalid UTF-8": body("<a>?</a>").replace(b"?", b"\xff\xfe\xc3"),
    "another encoding than it says": b'<?xml version="1.0" encoding="UTF-16"?><a/>',
}


@pytest.mark.parametrize("answer", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_xml_is_an_integration_error_in_bounded_time_and_memory(answer: bytes) -> None:
    store = Store([ADDRESS])
    with peer(modified(answers_of(store), lambda _: answer)) as peer_server:
        start, before = time.monotonic(), _rss()
        source = ExchangeSource(peer_server.settings, ADDRESS)
        for call in (source.check, lambda: source.folders(None), lambda: list(source.changes(FolderId("x"), None))):
            with pytest.raises(IntegrationError) as caught:
                call()
            assert len(str(caught.value)) < 1_000
        assert time.monotonic() - start < MAX_SECONDS
        assert _rss() - before < MAX_MB


TREE = f'<s:Envelope xmlns:s="{SOAP}"><s:Body><t>%s</t></s:Body></s:Envelope>'


@pytest.mark.parametrize(
    "doctype",
    [
        "<!DOCTYPE a>",
        '<!DOCTYPE a [<!ENTITY x "In">]>',
        '<!DOCTYPE a SYSTEM "http://127.0.0.1:9/a.dtd">',
        '<!DOCTYPE a PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN" "a.dtd">',
        '<?xml version="1.0"?><!-- first --><!DOCTYPE a [<!ELEMENT a ANY>]>',
    ],
)
def test_an_answer_with_a_document_type_definition_is_refused(doctype: str) -> None:
    store = Store([ADDRESS])

    def with_doctype(whole: bytes) -> bytes:
        bare = whole.partition(b"?>")[2] if whole.startswith(b"<?xml") else whole
        return doctype.encode() + bare

    with peer(modified(answers_of(store), with_doctype)) as peer_server, pytest.raises(ExchangeFailed) as caught:
        ExchangeSource(peer_server.settings, ADDRESS).check()
    assert caught.value.detail == "the response has a document type definition"
    utf_16 = (doctype.replace('<?xml version="1.0"?>', "") + TREE % "a").encode("utf-16")
    with pytest.raises(ExchangeFailed):
        parsed(utf_16)


@pytest.mark.parametrize("inside", ["In&x;box", "In&x;", "&x;box"])
def test_an_undefined_entity_is_an_error(inside: str) -> None:
    with pytest.raises(ExchangeFailed):
        parsed((TREE % inside).encode())


@pytest.mark.parametrize("inside", ["In<!-- of a desk -->box", "In<?of a desk?>box", "In<![CDATA[box]]>", "I&#110;box"])
def test_a_text_with_comments_references_or_cdata_is_read_completely(inside: str) -> None:
    assert parsed((TREE % inside).encode()).findtext(".//t") == "Inbox"


def test_a_mime_text_that_contains_a_comment_is_not_truncated() -> None:
    answer = b"<a><t:MimeContent>QUJD<!-- x -->REVG</t:MimeContent><t:MimeContent>QUJD</t:MimeContent></a>"
    texts = MimeTexts(answer)
    assert texts.rest.count(b"QUJD") == 1
    assert texts.decoded("0") == b"ABC"


def test_a_response_that_is_too_large_is_refused_before_it_is_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operations, "LARGEST_TREE", 1000)
    with pytest.raises(ExchangeFailed) as caught:
        parsed((TREE % ("<a/>" * 1000)).encode())
    assert caught.value.detail == "the response is too large"


def test_no_file_or_url_of_an_entity_is_read(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("EntityCanary")
    paths: list[str] = []

    def elsewhere(request: Request) -> Response:
        paths.append(request.path)
        return Response(200, b"EntityCanary", "text/plain")

    store = Store([ADDRESS])
    store[ADDRESS].deliver(mail_of(mail("a")))
    inbox = FolderId(store[ADDRESS].distinguished("inbox").id)
    with HttpServer(elsewhere) as server:
        for url in (secret.as_uri(), f"{server.url}/x"):
            doctype = f'<!DOCTYPE a [<!ENTITY x SYSTEM "{url}">]>'.encode()

            def with_entity(whole: bytes, doctype: bytes = doctype) -> bytes:
                bare = whole.partition(b"?>")[2] if whole.startswith(b"<?xml") else whole
                return doctype + bare.replace(b"AAMk", b"&x;AAMk", 1)

            with peer(modified(answers_of(store), with_entity)) as peer_server:
                try:
                    results = [
                        page.changes for page in ExchangeSource(peer_server.settings, ADDRESS).changes(inbox, None)
                    ]
                except IntegrationError as error:
                    results = [str(error)]  # type: ignore[list-item]
                assert "EntityCanary" not in repr(results)
    assert paths == []


def _rss() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
