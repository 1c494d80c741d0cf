"""A simulated Exchange: a mail store, EWS over HTTPS (NTLM, Basic, bearer tokens), scripted faults, a control endpoint.

store = Store(["desk@bank.example"])
store["desk@bank.example"].deliver(mail_of(b"Subject: Hello\\r\\n\\r\\n"))
with ExchangeSimulator(store, accounts=[Account("BANK\\\\svc", "secret")]) as exchange:
    exchange.url("onprem"), exchange.url("online"), exchange.ca, exchange.control_url
    exchange.faults.add("busy", operation="GetItem", times=1, back_off=2000)
"""

from simulators.exchange.accounts import Account, Application
from simulators.exchange.correspondence import correspondence
from simulators.exchange.mailfiles import mail_of, mails_below
from simulators.exchange.server import ExchangeSimulator
from simulators.exchange.store import Mail, Mailbox, Store

__all__ = [
    "Account",
    "Application",
    "ExchangeSimulator",
    "Mail",
    "Mailbox",
    "Store",
    "correspondence",
    "mail_of",
    "mails_below",
]
