"""The same mail becomes the same comment over EWS and over Graph, although Graph returns MIME with other bytes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from email.message import EmailMessage
from itertools import islice

from conversion.transform import Converted, EmailLocation, convert
from integrations.messages import Comment, Email, FolderId
from integrations.ports import Source
from integrations.reinfer.payload import comment_json
from simulators.exchange import correspondence, mail_of
from sync.engine.folder_paths import positions
from tests.contract.source_rigs import ExchangeRig, GraphRig, Rigs, graph_settings_for
from tests.conversion.cleaning.case_files import HELD_OUT, read
from tests.mails import NOON, mail

GENERATED = 250
SAMPLES = sorted(HELD_OUT.rglob("*.txt"))[::4]


def generated() -> Iterator[bytes]:
    return (
        written.mime for seed in (5, 6) for written in islice(correspondence("desk@bank.example", seed), GENERATED // 2)
    )


def sampled() -> Iterator[bytes]:
    """Yield an email for every fourth held-out cleaning case, with the plain text of the case, its HTML or both."""
    for number, path in enumerate(SAMPLES):
        case = read(path)
        message = EmailMessage()
        message["From"], message["To"] = "Zoë Weiß <zoe@north.example>", "desk@bank.example"
        message["Subject"], message["Message-ID"] = f"Über {path.stem}", f"<sample.{number}@north.example>"
        message["Date"] = NOON + timedelta(minutes=number)
        if "plain" in case:
            message.set_content(case["plain"])
        if "html" in case:
            (message.add_alternative if "plain" in case else message.set_content)(case["html"], subtype="html")
        if number % 3 == 0:
            message.add_attachment(
                b"%PDF" + bytes(range(256)), maintype="application", subtype="pdf", filename="Übersicht.pdf"
            )
        yield message.as_bytes()


def comments(source: Source) -> dict[str, Comment]:
    """Convert all emails of the mailbox, and return the comments by id."""
    by_id: dict[str, Comment] = {}
    folders = source.folders(None).changed
    paths = {folder_id: position.path for folder_id, position in positions(folders).items()}
    for folder in folders:
        if folder.holds_mail:
            for comment in _of_folder(source, folder.id, paths[folder.id]):
                assert comment.id not in by_id
                by_id[comment.id] = comment
    return by_id


def _of_folder(source: Source, folder: FolderId, path: tuple[str, ...]) -> Iterator[Comment]:
    for page in source.changes(folder, None):
        for email in source.fetch(page.changes):
            assert isinstance(email, Email)
            converted = convert(email, EmailLocation("desk@bank.example", path))
            assert isinstance(converted, Converted)
            yield converted.comment


def test_id_text_and_properties_are_the_same_over_ews_and_over_graph(all_rigs: Rigs) -> None:
    rig = all_rigs.rig("NTLM, impersonation")
    assert isinstance(rig, ExchangeRig)
    graph = GraphRig(all_rigs.graph, graph_settings_for(all_rigs.graph), rig.mailbox)
    rig.create_folder("Inbox/Trades & “late”")
    mimes = [*generated(), *sampled(), mail("plain"), mail("without id", message_id="")]
    importances, sensitivities = ("Low", "Normal", "High"), ("Normal", "Personal", "Private", "Confidential")
    for number, mime in enumerate(mimes):
        delivered = replace(
            mail_of(mime),
            received=NOON + timedelta(minutes=number),
            importance=importances[number % 3],
            sensitivity=sensitivities[number % 4],
            categories=("Red", "Ünïcode, with comma")[: number % 3],
        )
        rig.mailbox.deliver(delivered, ("Inbox", "Sent Items", "Inbox/Trades & “late”")[number % 3])
    with rig.source(page_size=100) as by_ews, graph.source(page_size=70) as by_graph:
        over_ews, over_graph = comments(by_ews), comments(by_graph)
        differing_bytes = sum(graph.as_returned(mime) != mime for mime in mimes)
    assert len(over_ews) == len(mimes)
    assert over_graph.keys() == over_ews.keys()
    for comment_id, comment in over_ews.items():
        assert comment_json(over_graph[comment_id]) == comment_json(comment)
    assert differing_bytes > len(mimes) // 2
