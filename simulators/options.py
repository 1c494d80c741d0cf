"""Options of `python -m simulators`, from the command line and from a JSON file (`--config`).

A key of the file is the name of an option without the leading dashes, with underscores (`generate`, `reinfer_port` …).
An option on the command line overrides the same option in the file. But the lists `accounts`, `applications`, `users` and
`tokens` of the file replace the credentials of the command line. Only the file can define users, and more than one account,
application or token:

    {"mailboxes": "desk@bank.example,claims@bank.example",
     "accounts": [{"username": "BANK\\\\svc", "password": "…", "impersonates": ["desk@bank.example"]},
                  {"username": "BANK\\\\ann", "password": "…", "delegate_of": ["claims@bank.example"]}],
     "applications": [{"tenant": "…", "client_id": "…", "client_secret": "…", "certificates": ["-----BEGIN …"]}],
     "users": [{"tenant": "…", "username": "svc@bank.example", "password": "…", "delegate_of": ["desk@bank.example"]}],
     "tokens": [{"secret": "…", "permissions": ["sources-read"], "projects": ["bank"]}]}
"""

from __future__ import annotations

import argparse
import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from simulators.exchange import Account
from simulators.graph import Registration, User
from simulators.graph.removals import Removals
from simulators.reinfer import DEFAULT_PREFIX, DEFAULT_TOKEN, EVERYTHING, Token
from simulators.reinfer.names import is_project_name, is_source_name

_Made = TypeVar("_Made", Account, Registration, User, Token)

_MAILBOXES = "trades@bank.example,settlements@bank.example,onboarding@bank.example,claims@bank.example,ops@bank.example"
_PORTS = {
    "--onprem-port": "Exchange Server 2016",
    "--online-port": "Exchange Online",
    "--exchange-control-port": "the endpoint that controls the Exchange simulator",
    "--graph-port": "Microsoft Graph",
    "--graph-control-port": "the endpoint that controls the Graph simulator",
    "--reinfer-port": "Re:infer and of the endpoint that controls it",
}
_DESCRIPTION = """\
Run simulated servers on this machine: Exchange (EWS over HTTPS, on premises and online), Microsoft Graph with the same
mailboxes, and Re:infer.
When all servers are ready, one line of JSON with all addresses is written to standard output. The servers run until
SIGINT or SIGTERM, or until the end of standard input if that is a pipe, a socket or a terminal."""


@dataclass(frozen=True, slots=True)
class Generated:
    """The value of `--generate`: `count` emails in each mailbox. The same seed generates the same emails."""

    seed: int
    count: int


@dataclass(frozen=True, slots=True)
class Options:
    host: str
    onprem_port: int
    online_port: int
    exchange_control_port: int
    graph_port: int
    graph_control_port: int
    reinfer_port: int
    prefix: str
    mailboxes: tuple[str, ...]
    sources: tuple[tuple[str, str], ...]
    projects: tuple[str, ...]
    mail: Path | None
    generate: Generated | None
    record: Path | None
    old_deployment: bool
    graph_limits: bool
    graph_removals: Removals
    accounts: tuple[Account, ...]
    applications: tuple[Registration, ...]
    users: tuple[User, ...]
    tokens: tuple[Token, ...]


def read_options(arguments: Sequence[str] | None = None) -> Options:
    """Read the options. An error in the command line or the file ends the process with exit code 2 and one line of text."""
    parser = _parser()
    config = parser.parse_known_args(arguments)[0].config
    try:
        lists = _apply_file(parser, config) if config else {}
        return _options(parser.parse_args(arguments), lists)
    except (OSError, ValueError, TypeError, AttributeError) as error:
        parser.error(f"{config}: {error}" if config else str(error))


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="python -m simulators",
        usage="%(prog)s [options]",
        description=_DESCRIPTION,
        formatter_class=_Formatter,
        allow_abbrev=False,
    )
    _add_content(parser.add_argument_group("content"))
    _add_network(parser.add_argument_group("network"))
    _add_credentials(parser.add_argument_group("credentials (all simulated; --config can define several)"))
    return parser


def _add_content(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--mailboxes", metavar="A@X,B@X", default=_MAILBOXES, help="addresses of the mailboxes (default: five)"
    )
    group.add_argument("--generate", metavar="SEED/COUNT", help="generate COUNT emails in each mailbox")
    group.add_argument("--mail", metavar="DIR", type=Path, help="distribute the emails below DIR to the Inboxes")
    group.add_argument("--sources", metavar="P/N,P/N", default="", help="Re:infer sources that exist from the start")
    group.add_argument("--projects", metavar="P,P", default="bank", help="Re:infer projects that exist from the start")
    group.add_argument("--old-deployment", action="store_true", help="sync of Re:infer returns only three counts")
    group.add_argument("--graph-limits", action="store_true", help="throttle Graph by Microsoft's documented limits")
    group.add_argument(
        "--graph-removals", type=Removals, choices=list(Removals), default=Removals.DOCUMENTED,
        help="how Graph reports messages that were moved (default: as documented)",
    )  # fmt: skip
    group.add_argument("--record", metavar="DIR", type=Path, help="write each request and response body to DIR")
    group.add_argument("--config", metavar="FILE", type=Path, help="read options from a JSON file")


def _add_network(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--host", default="127.0.0.1", help="address to listen at")
    for option, server in _PORTS.items():
        group.add_argument(option, metavar="PORT", type=int, default=0, help=f"port of {server} (0: any)")
    group.add_argument("--prefix", metavar="PATH", default=DEFAULT_PREFIX, help="path in front of Re:infer's API")


def _add_credentials(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--username", default=r"BANK\svc-reinfer", help="account for NTLM and Basic")
    group.add_argument("--password", default="simulated-password", help="password of this account")
    group.add_argument("--tenant", metavar="ID", default="7c1d2f0e-4a55-4f0b-9b7e-2d9c5e1f8a60", help="for OAuth")
    group.add_argument("--client-id", metavar="ID", default="2f6a0b9c-8d1e-4c37-a5b2-90f3c7d4e618", help="for OAuth")
    group.add_argument("--client-secret", metavar="SECRET", default="simulated-client-secret", help="for OAuth")
    group.add_argument("--token", metavar="SECRET", default=DEFAULT_TOKEN, help="API token of Re:infer")


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """End the process with one line of text, because a parent process may show this line to a person."""
        self.exit(2, f"simulators: {message}\n")


class _Formatter(argparse.ArgumentDefaultsHelpFormatter, argparse.RawDescriptionHelpFormatter):
    def _get_help_string(self, action: argparse.Action) -> str | None:
        """Add the default to the help, unless it is empty or the help mentions it already."""
        hidden = not action.default or "(default" in (action.help or "")
        return action.help if hidden else super()._get_help_string(action)


def _apply_file(parser: argparse.ArgumentParser, path: Path) -> dict[str, list[dict[str, Any]]]:
    """Set the values of the file as defaults of the parser; return the lists of the file by key."""
    values = json.loads(path.read_text())
    if not isinstance(values, dict):
        raise TypeError("must contain a JSON object")
    lists = {key: values.pop(key) for key in ("accounts", "applications", "users", "tokens") if key in values}
    known = {action.dest for action in parser._actions} - {"help", "config"}
    if unknown := set(values) - known:
        raise ValueError(f"no such option: {', '.join(sorted(unknown))}")
    for key in ("mail", "record"):
        if values.get(key) is not None:
            values[key] = Path(values[key])
    parser.set_defaults(**values)
    return lists


def _options(given: argparse.Namespace, lists: dict[str, list[dict[str, Any]]]) -> Options:
    if given.mail and not given.mail.is_dir():
        raise ValueError(f"--mail {given.mail}: there is no such folder")
    accounts = lists.get("accounts", [{"username": given.username, "password": given.password}])
    application = {"tenant": given.tenant, "client_id": given.client_id, "client_secret": given.client_secret}
    _check_ports(given)
    return Options(
        host=given.host,
        onprem_port=given.onprem_port,
        online_port=given.online_port,
        exchange_control_port=given.exchange_control_port,
        graph_port=given.graph_port,
        graph_control_port=given.graph_control_port,
        reinfer_port=given.reinfer_port,
        prefix=_prefix(given.prefix),
        mailboxes=_addresses(given.mailboxes),
        sources=tuple(_source(text) for text in given.sources.split(",") if text.strip()),
        projects=tuple(_project(text) for text in given.projects.split(",") if text.strip()),
        mail=given.mail,
        generate=_generated(given.generate) if given.generate else None,
        record=given.record,
        old_deployment=given.old_deployment,
        graph_limits=given.graph_limits,
        graph_removals=given.graph_removals,
        accounts=tuple(_made(Account, entry) for entry in accounts),
        applications=tuple(_made(Registration, entry) for entry in lists.get("applications", [application])),
        users=tuple(_made(User, entry) for entry in lists.get("users", [])),
        tokens=tuple(_token(entry) for entry in lists.get("tokens", [{"secret": given.token}])),
    )


def _check_ports(given: argparse.Namespace) -> None:
    for key, value in vars(given).items():
        if key.endswith("_port") and not 0 <= value <= 65535:
            raise ValueError(f"--{key.replace('_', '-')} {value}: a port is 0 to 65535")


def _prefix(text: str) -> str:
    stripped = text.strip("/")
    return f"/{stripped}" if stripped else ""


def _addresses(text: str) -> tuple[str, ...]:
    addresses = tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    if not addresses or not all("@" in address.strip("@") for address in addresses):
        raise ValueError(f"--mailboxes {text}: expected email addresses, separated by commas")
    return addresses


def _project(text: str) -> str:
    if not is_project_name(text.strip()):
        raise ValueError(f"--projects {text}: not a valid project name")
    return text.strip()


def _source(text: str) -> tuple[str, str]:
    project, slash, name = text.strip().partition("/")
    if not slash or not is_project_name(project) or not is_source_name(name):
        raise ValueError(f"--sources {text}: expected PROJECT/NAME")
    return project, name


def _generated(text: str) -> Generated:
    seed, slash, count = text.partition("/")
    if not slash or not seed.isdigit() or not count.isdigit():
        raise ValueError(f"--generate {text}: expected two whole numbers, SEED/COUNT")
    return Generated(int(seed), int(count))


def _token(entry: dict[str, Any]) -> Token:
    token = _made(Token, entry)
    if unknown := token.permissions - EVERYTHING:
        raise ValueError(f"no such permission: {', '.join(sorted(unknown))}")
    return token


def _made(kind: type[_Made], entry: dict[str, Any]) -> _Made:
    """Make an object of this class from its fields in the file or the command line; lists become sets. Raises `ValueError`."""
    fields = {field.name: field for field in dataclasses.fields(kind)}
    needed = {name for name, field in fields.items() if field.default is dataclasses.MISSING}
    needed -= {name for name, field in fields.items() if field.default_factory is not dataclasses.MISSING}
    if set(entry) - set(fields) or needed - set(entry):
        raise ValueError(f"each {kind.__name__.lower()} has {', '.join(fields)}; needed: {', '.join(sorted(needed))}")
    values: dict[str, Any] = {
        key: frozenset(value) if isinstance(value, list) else value for key, value in entry.items()
    }
    return kind(**values)
