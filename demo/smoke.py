"""The automatic check of the whole stack: emails arrive and move, and Re:infer must contain the expected comments."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from demo.exchange import Control
from demo.expectation import Expectation, faults, is_wanted, surplus_failed
from demo.seeding import CLIENT_SECRET
from demo.stack import Stack
from demo.table import table

PATIENCE = 150.0
"""Time limit of the whole check, in seconds."""
READ_ONLY = {"ConvertId", "GetFolder", "FindFolder", "SyncFolderHierarchy", "SyncFolderItems", "GetItem"}
SHARED = "<shared.announcement@mail.north.example>"


class NotInTime(Exception):
    """An expected event did not occur within the time limit."""


@dataclass
class Smoke:
    """One run of the check. `problems` are the problems that the check found, as sentences."""

    stack: Stack
    say: Callable[[str], None] = print
    problems: list[str] = field(default_factory=list)
    units_after_switch: int = 0

    def run(self, *, own_mail: bool) -> bool:
        """Run the check.

        Args:
            own_mail: whether the mailboxes contain mail of the user instead of generated mail

        Returns:
            True if no problem was found.
        """
        self.end = time.monotonic() + PATIENCE
        self.exchange = Control(self.stack.simulators["exchange"]["control_url"])
        self.reinfer = Control(self.stack.simulators["reinfer"]["control_url"])
        self.addresses = [mailbox["address"] for mailbox in self.exchange.get("mailboxes")]
        try:
            if not own_mail:
                self._special_mail()
            self.stack.product("start")
            self._until(self._all_delivered, "all comments")
            self.say("All comments exist." + ("" if own_mail else " Now some emails are moved."))
            if not own_mail:
                self._change_mail()
                self._until(self._all_delivered, "the updates of the moved emails")
                self._switch()
                self._until(self._all_delivered, "the comments of emails that arrive after the switch")
            self._check_no_more_pushes()
        except NotInTime as error:
            self.problems.append(str(error))
        self._judge()
        return not self.problems

    # ---- changes in Exchange ---------------------------------------------------------------------------------

    def _special_mail(self) -> None:
        """Deliver one email to two mailboxes of one bucket, and emails to folders that are not synced."""
        first, *_, last = self.addresses[1:3]
        for address in (first, last):
            self._deliver(address, "Inbox", SHARED, "To all desks")
        for folder in ("Junk Email", "Deleted Items", "Drafts"):
            self._deliver(self.addresses[0], folder, f"<unwanted.{folder.split()[0]}@x.example>", "Not wanted")

    def _change_mail(self) -> None:
        """Move two emails, rename a folder, and deliver one more email."""
        address = self.addresses[0]
        mailbox = self.exchange.get(f"mailboxes/{address}")
        inbox = [item for item in mailbox["items"] if item["folder"] == "Inbox"]
        self.exchange.post("move", mailbox=address, id=inbox[0]["id"], folder="Done")
        self.exchange.post("move", mailbox=address, id=inbox[1]["id"], folder="Inbox/Escalated")
        self.exchange.post("rename-folder", mailbox=self.addresses[1], folder="Inbox/Escalated", name="Urgent")
        self._deliver(self.addresses[-1], "Inbox", "<late@mail.north.example>", "One more")

    def _switch(self) -> None:
        """Switch the integration of Exchange Online to Graph, and deliver one more email to one of its mailboxes."""
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

    # ---- the comparison ------------------------------------------------------------------------------------------

    def _all_delivered(self) -> bool:
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

    def _check_no_more_pushes(self) -> None:
        """Check that at least two more syncs of every mailbox push no comment."""
        pushes = self._pushes()
        runs = {mailbox["address"]: mailbox["finished"] for mailbox in self.stack.product("figures")}

        def twice() -> bool:
            now = self.stack.product("figures")
            return all(mailbox["finished"] >= runs[mailbox["address"]] + 2 for mailbox in now)

        self._until(twice, "two more syncs of each mailbox")
        if self._pushes() != pushes:
            self.problems.append("A sync of unchanged mailboxes pushed comments again.")

    def _pushes(self) -> int:
        return int(self.reinfer.get("state")["requests"].get("sync", 0))

    def _until(self, done: Callable[[], bool], what: str) -> None:
        while not done():
            self.stack.processes.check()
            if time.monotonic() > self.end:
                raise NotInTime(f"The time limit ended while the check was waiting for {what}.")
            time.sleep(0.3)

    # ---- the report ----------------------------------------------------------------------------------------------

    def _judge(self) -> None:
        figures = self.stack.product("figures")
        expected = self._expected(figures)
        if not any(expectation.wanted.total() for expectation in expected.values()):
            self.problems.append("No mailbox has an email in a synced folder, so nothing was checked.")
        state = self.reinfer.get("state")
        self.say("\n" + self._mailboxes(figures, expected))
        self.say("\n" + self._buckets(state) + "\n")
        for bucket, differences in self._faults(figures).items():
            self.problems += [f"{bucket}: {difference}" for difference in differences[:10]]
        for mailbox in figures:
            for failed in mailbox["failed"]:
                self.say(f"Failed email in {mailbox['address']}: {failed['reason']} ({failed['stage']})")
            self.problems += surplus_failed(expected[mailbox["bucket"]], {mailbox["address"]: len(mailbox["failed"])})
            if mailbox["error"]:
                self.problems.append(f"{mailbox['address']}: {mailbox['error']}")
        for source in state["sources"]:
            if source["text_changes"] or source["messages_changed"] or source["ai_units"] != source["comments"]:
                self.problems.append(
                    f"{source['project']}/{source['name']}: The AI units are not the number of comments, or texts changed."
                )
        self._judge_units(sum(mailbox["created"] for mailbox in figures), state["ai_units"])
        other = set(self.exchange.get("requests")["operations"]) - READ_ONLY
        if other:
            self.problems.append(f"Exchange received requests that can change data: {', '.join(sorted(other))}")

    def _judge_units(self, ours: int, theirs: int) -> None:
        if self.units_after_switch and theirs != self.units_after_switch:
            self.problems.append(f"After the switch there were {theirs} AI units instead of {self.units_after_switch}.")
        if ours != theirs:
            self.problems.append(f"The product counts {ours} AI units, but Re:infer counts {theirs}.")

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
            "failed",
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
        head = ["bucket at Re:infer", "comments", "AI units", "updates", "text changes", "message changes"]
        return table(head, rows)


def mail_arguments(mail: Path | None, record: Path | None) -> list[str]:
    """Return the arguments of the simulators.

    Args:
        mail: folder with the mail to serve; generated mail if None
        record: folder for the recorded requests and responses; nothing is recorded if None

    Returns:
        The command-line arguments.
    """
    content = ["--mail", str(mail)] if mail else ["--generate", "1/36"]
    return content + (["--record", str(record)] if record else [])
