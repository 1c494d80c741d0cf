"""The whole stack without a person: mail arrives, moves, and is looked at where it came to. Ends by itself, with a verdict."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from demo.exchange import Control
from demo.expectation import Expectation, faults, is_wanted, surplus_aside
from demo.seeding import CLIENT_SECRET
from demo.stack import Stack
from demo.table import table

PATIENCE = 150.0
"""Seconds for all of it."""
READ_ONLY = {"ConvertId", "GetFolder", "FindFolder", "SyncFolderHierarchy", "SyncFolderItems", "GetItem"}
SHARED = "<shared.announcement@mail.north.example>"


class NotInTime(Exception):
    """Something that should have happened did not."""


@dataclass
class Smoke:
    stack: Stack
    say: Callable[[str], None] = print
    problems: list[str] = field(default_factory=list)
    units_after_switch: int = 0

    def run(self, *, own_mail: bool) -> bool:
        """True if everything that should have arrived did, and right. `own_mail`: the mailboxes' content came from files."""
        self.end = time.monotonic() + PATIENCE
        self.exchange = Control(self.stack.simulators["exchange"]["control_url"])
        self.reinfer = Control(self.stack.simulators["reinfer"]["control_url"])
        self.addresses = [mailbox["address"] for mailbox in self.exchange.get("mailboxes")]
        try:
            if not own_mail:
                self._special_mail()
            self.stack.product("start")
            self._until(self._all_is_there, "all mail to arrive")
            self.say(f"All mail arrived. Now {'nothing' if own_mail else 'some of it'} moves.")
            if not own_mail:
                self._change_things()
                self._until(self._all_is_there, "moved mail to be followed")
                self._switch()
                self._until(self._all_is_there, "the mail that arrives after the switch")
            self._nothing_more_happens()
        except NotInTime as error:
            self.problems.append(str(error))
        self._judge()
        return not self.problems

    # ---- what happens in Exchange ---------------------------------------------------------------------------------

    def _special_mail(self) -> None:
        """One email in two mailboxes of one bucket, mail that is not wanted, and mail that was copied into the bin."""
        first, *_, last = self.addresses[1:3]
        for address in (first, last):
            self._deliver(address, "Inbox", SHARED, "To all desks")
        for folder in ("Junk Email", "Deleted Items", "Drafts"):
            self._deliver(self.addresses[0], folder, f"<unwanted.{folder.split()[0]}@x.example>", "Not wanted")

    def _change_things(self) -> None:
        address = self.addresses[0]
        mailbox = self.exchange.get(f"mailboxes/{address}")
        inbox = [item for item in mailbox["items"] if item["folder"] == "Inbox"]
        self.exchange.post("move", mailbox=address, id=inbox[0]["id"], folder="Done")
        self.exchange.post("move", mailbox=address, id=inbox[1]["id"], folder="Inbox/Escalated")
        self.exchange.post("rename-folder", mailbox=self.addresses[1], folder="Inbox/Escalated", name="Urgent")
        self._deliver(self.addresses[-1], "Inbox", "<late@mail.north.example>", "One more")

    def _switch(self) -> None:
        """From EWS to Graph in the middle of life; a mailbox of it has one more email by then."""
        units = self.reinfer.get("state")["ai_units"]
        self.say(self.stack.product("switch", given={**self.stack.simulators["graph"], "client_secret": CLIENT_SECRET}))
        self._deliver(
            self.addresses[(len(self.addresses) + 1) // 2], "Inbox", "<switched@mail.north.example>", "After all"
        )
        self.units_after_switch = units + 1

    def _deliver(self, address: str, folder: str, message_id: str, subject: str) -> None:
        self.exchange.post(
            "deliver",
            mailbox=address,
            folder=folder,
            message_id=message_id,
            subject=subject,
            body=f"{subject}, please read.",
        )

    # ---- what came of it ------------------------------------------------------------------------------------------

    def _all_is_there(self) -> bool:
        figures = self.stack.product("figures")
        if not all(mailbox["up_to_date"] for mailbox in figures):
            return False
        return not any(self._faults(figures).values())

    def _faults(self, figures: Sequence[dict[str, Any]]) -> dict[str, list[str]]:
        expected = self._expected(figures)
        return {
            bucket: faults(
                expected[bucket],
                self.reinfer.get(f"sources/{bucket}", comments="full")["comment_list"],
            )
            for bucket in expected
        }

    def _expected(self, figures: Sequence[dict[str, Any]]) -> dict[str, Expectation]:
        buckets = {mailbox["address"]: mailbox["bucket"] for mailbox in figures}
        expected: dict[str, Expectation] = {bucket: Expectation() for bucket in buckets.values()}
        for address, bucket in buckets.items():
            mailbox = self.exchange.get(f"mailboxes/{address}")
            for item in mailbox["items"]:
                if is_wanted(item["folder"], mailbox["folders"]):
                    mime = self.exchange.raw(f"mime/{address}", id=item["id"])
                    expected[bucket].add(address, item["folder"], mime)
        return expected

    def _nothing_more_happens(self) -> None:
        """Two more looks at every mailbox push nothing."""
        pushes = self._pushes()
        runs = {mailbox["address"]: mailbox["finished"] for mailbox in self.stack.product("figures")}

        def twice() -> bool:
            now = self.stack.product("figures")
            return all(mailbox["finished"] >= runs[mailbox["address"]] + 2 for mailbox in now)

        self._until(twice, "two more syncs of each mailbox")
        if self._pushes() != pushes:
            self.problems.append("A mailbox in which nothing happened was pushed again.")

    def _pushes(self) -> int:
        return int(self.reinfer.get("state")["requests"].get("sync", 0))

    def _until(self, done: Callable[[], bool], what: str) -> None:
        while not done():
            self.stack.processes.check()
            if time.monotonic() > self.end:
                raise NotInTime(f"Time is over, waiting for {what}.")
            time.sleep(0.3)

    # ---- the verdict ----------------------------------------------------------------------------------------------

    def _judge(self) -> None:
        figures = self.stack.product("figures")
        expected = self._expected(figures)
        if not any(one.wanted.total() for one in expected.values()):
            self.problems.append("No mailbox holds an email that is wanted, so nothing was tried.")
        state = self.reinfer.get("state")
        self.say("\n" + self._mailboxes(figures, expected))
        self.say("\n" + self._buckets(state) + "\n")
        for bucket, found in self._faults(figures).items():
            self.problems += [f"{bucket}: {fault}" for fault in found[:10]]
        for mailbox in figures:
            for aside in mailbox["aside"]:
                self.say(f"Set aside in {mailbox['address']}: {aside['reason']} ({aside['stage']})")
            self.problems += surplus_aside(expected[mailbox["bucket"]], {mailbox["address"]: len(mailbox["aside"])})
            if mailbox["error"]:
                self.problems.append(f"{mailbox['address']}: {mailbox['error']}")
        for source in state["sources"]:
            if source["text_changes"] or source["messages_changed"] or source["ai_units"] != source["comments"]:
                self.problems.append(f"{source['project']}/{source['name']}: it was billed for more than its comments.")
        self._judge_units(sum(mailbox["created"] for mailbox in figures), state["ai_units"])
        other = set(self.exchange.get("requests")["operations"]) - READ_ONLY
        if other:
            self.problems.append(f"Exchange was asked for more than reading: {', '.join(sorted(other))}")

    def _judge_units(self, ours: int, theirs: int) -> None:
        if self.units_after_switch and theirs != self.units_after_switch:
            self.problems.append(f"After the switch there were {theirs} AI units, and not {self.units_after_switch}.")
        if ours != theirs:
            self.problems.append(f"We count {ours} AI units, Re:infer counts {theirs}.")

    def _mailboxes(self, figures: Sequence[dict[str, Any]], expected: dict[str, Expectation]) -> str:
        rows = [
            [
                mailbox["address"],
                mailbox["bucket"],
                self.exchange.get(f"mailboxes/{mailbox['address']}")["count"],
                expected[mailbox["bucket"]].wanted[mailbox["address"]],
                mailbox["created"],
                mailbox["updated"],
                mailbox["unchanged"],
                mailbox["set_aside"],
                mailbox["created"],
                mailbox["seconds"],
            ]
            for mailbox in figures
        ]
        head = [
            "mailbox",
            "bucket",
            "in Exchange",
            "wanted",
            "created",
            "updated",
            "unchanged",
            "rejected",
            "AI units",
            "seconds",
        ]
        return table(head, rows)

    def _buckets(self, state: dict[str, Any]) -> str:
        rows = [
            [
                f"{source['project']}/{source['name']}",
                source["comments"],
                source["ai_units"],
                source["updated"],
                source["text_changes"],
                source["messages_changed"],
            ]
            for source in state["sources"]
        ]
        head = ["bucket, as Re:infer holds it", "comments", "AI units", "updates", "text changes", "message changes"]
        return table(head, rows)


def mail_arguments(mail: Path | None, record: Path | None) -> list[str]:
    """For the simulators: whose mail to serve, and where to keep the traffic."""
    content = ["--mail", str(mail)] if mail else ["--generate", "1/36"]
    return content + (["--record", str(record)] if record else [])
