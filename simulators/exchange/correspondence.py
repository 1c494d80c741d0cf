"""Generates a realistic correspondence of a bank: threads with replies, attachments, several languages.

The same seed and address give the same bytes.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime

START = datetime(2026, 2, 2, 8, 0, tzinfo=UTC)
CLIENTS = (
    ("Ann Field", "ann.field@north.example", "North Trading Ltd"),
    ("Jörg Weiß", "joerg.weiss@süd.example", "Süd Handel GmbH"),
    ("Chloé Martin", "chloe.martin@ouest.example", "Banque de l'Ouest"),
    ("山田 太郎", "taro.yamada@higashi.example", "東商事"),
    ("Łukasz Nowak", "lukasz.nowak@wschod.example", "Wschód S.A."),
    ("Sofía Núñez", "sofia.nunez@sur.example", "Sur Capital"),
)
TOPICS = (
    ("Trade {n} unmatched", "could you look at trade {n}, please? Our side shows {a} EUR, yours shows {b} EUR."),
    ("Statement for account {n}", "please send us the statement for account {n} for last month."),
    (
        "Änderung der Bankverbindung {n}",
        "anbei die neue Bankverbindung für Konto {n}. Bitte bestätigen Sie den Eingang.",
    ),
    ("Réclamation n° {n}", "nous n'avons pas reçu le paiement de {a} EUR. Merci de vérifier au plus vite."),
    ("口座 {n} の件", "口座 {n} の残高についてご確認をお願いいたします。"),
    ("KYC documents for {n}", "attached are the documents you asked for. Is anything missing?"),
    ("Urgent: payment {n} rejected", "payment {n} over {a} USD was rejected this morning. Why?"),
    ("Potwierdzenie przelewu {n}", "proszę o potwierdzenie przelewu {n} na kwotę {a} PLN."),
)
GREETINGS = ("Hello,", "Dear team,", "Guten Tag,", "Bonjour,", "Hi,", "Dzień dobry,")
LOGO = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010804000000b51c0c02"
    "0000000b4944415478da6364600000000600023081d02f0000000049454e44ae426082"
)
"""A PNG with one transparent pixel."""
REPLIES = ("Thank you, that helps.", "We are still waiting for this.", "Done, please check.", "Merci beaucoup.")


@dataclass(frozen=True)
class Written:
    """A generated email with its time of arrival."""

    mime: bytes
    message_id: str
    received: datetime


def correspondence(address: str, seed: int, *, start: datetime = START) -> Iterator[Written]:
    """An endless series of emails to `address`, 2 to 56 minutes apart. About a third are replies to earlier emails."""
    chance = random.Random(f"{seed}/{address}")
    sent: list[tuple[EmailMessage, datetime]] = []
    moment = start
    number = 0
    while True:
        number += 1
        moment += timedelta(minutes=chance.randint(2, 55), seconds=chance.randint(0, 59))
        earlier = chance.choice(sent[-12:]) if sent and chance.random() < 0.35 else None
        message = _message(address, number, seed, moment, chance, earlier)
        sent.append((message, moment))
        yield Written(message.as_bytes(), message["Message-ID"], moment + timedelta(seconds=2))


def _message(
    address: str,
    number: int,
    seed: int,
    moment: datetime,
    chance: random.Random,
    earlier: tuple[EmailMessage, datetime] | None,
) -> EmailMessage:
    name, sender, company = chance.choice(CLIENTS)
    values = {
        "n": chance.randint(1000, 9999),
        "a": f"{chance.randint(1, 99)},{chance.randint(100, 999)}.00",
        "b": "0.00",
    }
    subject, words = chance.choice(TOPICS)
    message = EmailMessage()
    message["From"] = _named(name, sender)
    message["To"] = address
    if chance.random() < 0.3:
        message["Cc"] = _named("Head of Desk", "head.of.desk@bank.example")
    message["Date"] = format_datetime(moment)
    message["Message-ID"] = f"<{seed}.{number}.{address.partition('@')[0]}@mail.north.example>"
    text = f"{chance.choice(GREETINGS)}\n\n{words.format(**values)}\n\nKind regards\n{name}\n{company}\n"
    if earlier is None:
        message["Subject"] = subject.format(**values)
    else:
        text = _answer(message, earlier, chance.choice(REPLIES), name)
    message.set_content(text)
    _decorate(message, text, chance)
    return message


def _answer(message: EmailMessage, earlier: tuple[EmailMessage, datetime], reply: str, name: str) -> str:
    before, moment = earlier
    original = before["Subject"]
    message["Subject"] = original if original.startswith("Re: ") else f"Re: {original}"
    message["In-Reply-To"] = before["Message-ID"]
    message["References"] = " ".join(filter(None, [before.get("References"), before["Message-ID"]]))
    plain = before.get_body(("plain",))
    quoted = "\n".join(f"> {line}" for line in (plain.get_content() if plain else "").splitlines()[:40])
    return f"{reply}\n\n-- \n{name}\n\nOn {moment:%a, %d %b %Y at %H:%M}, {before['From']} wrote:\n{quoted}\n"


def _decorate(message: EmailMessage, text: str, chance: random.Random) -> None:
    """Add, at random, HTML with or without an image, an attachment, and an Importance header."""
    if chance.random() < 0.5:
        paragraphs = "".join(f"<p>{_html(part)}</p>" for part in text.split("\n\n"))
        message.add_alternative(f"<html><body>{paragraphs}</body></html>", subtype="html")
        _set_boundary(message, chance)
        if chance.random() < 0.25:
            _add_logo(message, chance)
    if chance.random() < 0.2:
        data = bytes(chance.getrandbits(8) for _ in range(chance.randint(500, 4000)))
        message.add_attachment(data, maintype="application", subtype="pdf", filename=f"scan-{len(data)}.pdf")
        _set_boundary(message, chance)
    if chance.random() < 0.1:
        message["Importance"] = "high"


def _add_logo(message: EmailMessage, chance: random.Random) -> None:
    """Add an inline image at the end of the HTML."""
    html = message.get_body(("html",))
    assert isinstance(html, EmailMessage)
    cid = f"logo.{chance.getrandbits(32):08x}@mail.north.example"
    shown = html.get_content().replace("</body>", f'<p><img src="cid:{cid}" alt="Logo" width="96"></p></body>')
    html.set_content(shown, subtype="html")
    html.add_related(LOGO, "image", "png", cid=f"<{cid}>", filename="logo.png", disposition="inline")
    _set_boundary(html, chance)


def _set_boundary(message: EmailMessage, chance: random.Random) -> None:
    # The library would choose a random boundary, but the same seed and address must give the same bytes.
    message.set_boundary(f"=={chance.getrandbits(96):024x}==")


def _named(name: str, address: str) -> str:
    from email.headerregistry import Address

    user, _, domain = address.partition("@")
    return str(Address(name, user, domain.encode("idna").decode()))


def _html(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\n", "<br>")
