"""A seed in which a release is installed whose rules want emails that the previous release rejected.

At a random time, an admin decides whether these emails are pushed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from integrations.connect import open_source
from mailboxes.models import Mailbox
from mailboxes.rules_versions import current
from operations import newly_wanted_actions
from operations.results import ActionRefused
from simulators.exchange.store import Item
from sync.models import RulesTakenUp
from tests.actors import ADMIN
from tests.faults.seed import BUCKET, Seed
from tests.faults.story import Story
from tests.mails import received
from tests.releases import BEFORE, BEHIND, AsReleased, release


@dataclass
class UpgradedStory(Story):
    """A story in which some emails have the mark of a draft, like imported mail."""

    drafts: float = 0.0
    """Fraction of the emails that `Story` marks: none, because this class marks emails itself."""
    clock: Callable[[], datetime] = datetime.now
    marked: dict[str, tuple[datetime, bool]] = field(default_factory=dict)
    """For each marked email: its arrival time, and whether the rules of the new release were in use when it arrived."""

    def arrives(self) -> None:
        self.now = max(self.now, self.clock())
        super().arrives()
        if self.random.random() < 0.5:
            self._mark(next(reversed(self.emails)))

    def _is_draft(self, item: Item) -> bool:
        return False  # the two releases in tests.releases define what the mark of a draft means

    def _mark(self, name: str) -> None:
        for box in self.store:
            for item in box.items():
                email = self.email_of(item)
                if email is not None and email.name == name:
                    mime = item.mail.content() if email.received else received(item.mail.content())
                    item.mail = replace(item.mail, draft=True, mime=mime, size=len(mime))
                    self.marked[name] = (item.received, RulesTakenUp.objects.exists())
        self.emails[name].received = True


class UpgradeSeed(Seed):
    """A seed with an upgrade."""

    story: UpgradedStory

    answered: bool | None = None
    """The decision of the admin: True to push the emails, False to leave them, None before the decision."""

    def run(self) -> list[str]:
        with ExitStack() as self._releases:
            self._releases.enter_context(release(BEFORE))
            return super().run()

    def _live(self) -> None:
        self.story.begin(self.random.randint(6, 14))
        self._tick(interrupted=False)
        at = self.random.randint(0, 3)
        for number in range(self.random.randint(5, 9)):
            if number == at:
                self.log.append("a release is installed")
                self._releases.enter_context(release(BEHIND))
            for _ in range(self.random.randint(0, 4)):
                self.story.happens()
            if self.random.random() < 0.4:
                self.trouble.applies()
            if self.random.random() < 0.4:
                self._admin_acts()
            self._tick(interrupted=True)
            self._watch()

    def _acts(self) -> list[Callable[[], None]]:
        return [*super()._acts(), *([self._answers] * 4 if current() > 1 and self.answered is None else [])]

    def _answers(self) -> None:
        """Decide for all mailboxes. The action is refused before the rescan, and if the rescan found nothing."""
        bring = self.random.random() < 0.5
        outcome = self._answer(bring=bring)
        if not isinstance(outcome, ActionRefused):
            self.answered = bring

    def _answer(self, *, bring: bool) -> object:
        mailboxes = list(Mailbox.objects.all())
        if any(mailbox.state.rules < current() for mailbox in mailboxes):
            return ActionRefused("It has not begun everywhere.")
        answer = newly_wanted_actions.bring if bring else newly_wanted_actions.leave
        return answer(ADMIN, mailboxes)

    def _recover(self) -> list[str]:
        silent = super()._recover()
        self._watch()
        if self.answered is None:
            self._answers()
            silent += super()._recover()
        return silent

    # ---- the conditions ---------------------------------------------------------------------------------------------

    def __post_init__(self) -> None:
        super().__post_init__()
        self.unasked: set[str] = set()

    def _watch(self) -> None:
        if self.answered is not True:
            self.unasked |= self._that_waited() & self._held()

    def _complaints(self) -> list[str]:
        self._watch()
        return [*super()._complaints(), *(f"{name} was sent unasked" for name in sorted(self.unasked))]

    def _may_be_missing(self) -> set[str]:
        """Return the names of marked emails that need not be comments.

        These are emails that the admin did not decide to push, and emails with a misleading arrival time: the time is before
        the new rules came into use, but the email arrived afterwards, or the other way round.
        """
        left = set() if self.answered else self._that_waited()
        return left | {name for name in self.story.marked if not self._is_clear(name)}

    def _that_waited(self) -> set[str]:
        return {name for name, (_, late) in self.story.marked.items() if not late and self._is_clear(name)}

    def _is_clear(self, name: str) -> bool:
        received, late = self.story.marked[name]
        taken_up = RulesTakenUp.objects.values_list("at", flat=True).first()
        return taken_up is not None and (received >= taken_up) == late

    def _held(self) -> set[str]:
        subjects = (c.content["messages"][0].get("subject", {}) for c in self.reinfer.sources[BUCKET].comments.values())
        return {subject.get("text", "").removeprefix("About ").partition(",")[0] for subject in subjects}

    # ---- set-up -----------------------------------------------------------------------------------------------------

    def _source(self, *given: Any, **named: Any) -> Any:
        return AsReleased(open_source(*given, **named))

    def _story(self) -> Story:
        store = self.end.server.store
        return UpgradedStory(self.random, store, more_folders=self.pace.folders, clock=self.clock)

    def _leaks(self) -> Iterator[str]:
        yield from super()._leaks()
        for mailbox in Mailbox.objects.filter(state__looked_for__lt=current()):
            yield f"the folders of {mailbox} were never listed again"
