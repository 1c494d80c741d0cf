"""Tables of the sync. No subject, body or correspondent of an email is ever stored here."""

from __future__ import annotations

from typing import Any, Self

from django.db import models
from django.db.models.functions import Now
from django.utils import timezone

from integrations.dead_letter_reasons import HIDDEN_STAGES, Stage
from integrations.folder_classes import why_not_read
from integrations.messages import FolderKind
from integrations.models import Integration
from mailboxes.models import Bucket, Mailbox
from mailboxes.rules_versions import current
from sync.engine import folder_totals


class MailboxStates(models.QuerySet["MailboxState"]):
    """Queries of mailbox states."""

    def update(self, **values: Any) -> int:
        """Update rows, and record the time whenever a mailbox becomes due at once: from then on it waits for a sync.

        Args:
            **values: Fields with their values.

        Returns:
            The number of rows.
        """
        if "next_sync_at" in values and values["next_sync_at"] is None:
            values.setdefault("asked_at", Now())
        return super().update(**values)


class MailboxState(models.Model):
    """When a mailbox is due, which worker syncs it now, and how the last attempt went, by the clock of the database.

    It is a table of its own, so that saving a form of a mailbox never overwrites what a worker wrote meanwhile.
    """

    mailbox = models.OneToOneField(Mailbox, on_delete=models.CASCADE, primary_key=True, related_name="state")
    next_sync_at = models.DateTimeField(null=True, help_text="Empty: at once.")
    asked_at = models.DateTimeField(
        default=timezone.now, help_text="When it was last made due at once: added, started, changed, or by a button."
    )
    queued_until = models.DateTimeField(null=True, help_text="A task is on its way; after this time it counts as lost.")
    probe = models.BooleanField(default=False, help_text="Queued to see whether a hold is over.")
    lease_token = models.UUIDField(null=True)
    lease_until = models.DateTimeField(null=True)
    folders_cursor = models.TextField(blank=True)
    tree_version = models.PositiveSmallIntegerField(
        default=0, db_default=0, help_text="The version of integrations.folder_classes by which its tree was last told."
    )
    folders_of = models.CharField(max_length=320, blank=True, help_text="The address that this cursor is about.")
    whole_tree_at = models.DateTimeField(
        null=True, help_text="When all folders are asked for again, with their totals. Empty: at the next sync."
    )
    ids_of = models.CharField(
        max_length=16,
        default=Integration.Api.EWS,
        help_text="Whose ids and cursors are remembered: see sync.store.source_change.",
    )
    former_until = models.DateTimeField(
        null=True, help_text="While some of what is remembered has ids of the source before: until when that was read."
    )
    round = models.PositiveBigIntegerField(
        default=1, help_text="Of turns of its folders: see sync.engine.folder_order."
    )
    pass_began = models.PositiveBigIntegerField(default=1, help_text="The round in which the pass in hand began.")
    list_again = models.BooleanField(default=False, help_text="Drop every cursor of this mailbox at the next sync.")
    send_again = models.BooleanField(default=False, help_text="Forget what was sent for it, at the next sync.")
    failures = models.PositiveIntegerField(default=0, help_text="Failed syncs in a row.")
    failing_since = models.DateTimeField(null=True)
    error_kind = models.CharField(max_length=64, blank=True)
    error_text = models.TextField(blank=True)
    refused_alone = models.BooleanField(
        default=False,
        db_default=False,
        help_text="Its sign-in is refused while a neighbour signed in anew since, with the same credentials.",
    )
    synced_at = models.DateTimeField(null=True, help_text="When a sync last came to its end.")
    up_to_date = models.BooleanField(
        default=False, help_text="Every folder that can be read was read to its end. One may be left out beside that."
    )
    pages = models.PositiveBigIntegerField(
        default=0, help_text="Of all its folders, when a sync last ended: see sync.jobs.housekeeping."
    )
    learned = models.CharField(
        max_length=32,
        blank=True,
        default="",
        db_default="",
        help_text="What its source found out about it: see integrations.ports.Learner.",
    )
    went_back_at = models.DateTimeField(null=True, help_text="When a checkpoint of it was last seen to have gone back.")
    rules = models.PositiveSmallIntegerField(
        default=current,
        db_default=1,
        help_text="The version of the fixed rules that it is synced by: see sync.jobs.rules_upgrade.",
    )
    looked_for = models.PositiveSmallIntegerField(
        default=current, db_default=1, help_text="The version for which all of its folders were looked through."
    )

    objects = MailboxStates.as_manager()

    class Meta:
        indexes = [models.Index(fields=["next_sync_at"], name="state_due")]

    def __str__(self) -> str:
        return f"state of mailbox {self.mailbox_id}"


TRY_AGAIN: dict[str, Any] = {"refused_attempts": 0, "retry_at": None}
"""The field values of a refused folder that the next sync tries, whatever was tried before."""
READABLE: dict[str, Any] = {
    **TRY_AGAIN,
    "refused_kind": "",
    "refused_detail": "",
    "refused_since": None,
    "left_out": False,
    "told_of": False,
    "not_found": False,
}
"""The field values of a folder that is not refused, or whose last result no longer counts."""
FROM_THE_BEGINNING: dict[str, Any] = {
    "cursor": "",
    "turn": 0,
    "listing": False,
    "look_cursor": "",
    "attempts": 0,
    "item_in_hand": "",
    "up_to_date": False,
    "counted": None,
    "doubted_total": None,
    "doubted_difference": None,
    "to_compare": False,
    **TRY_AGAIN,
}
"""The field values of a folder that is to be listed again."""


LEFT_OUT = models.Q(left_out=True, gone=False, holds_mail=True)
NOT_READ = models.Q(gone=False, holds_mail=False)


class SyncedFolders(models.QuerySet["SyncedFolder"]):
    """Queries of folders."""

    def left_out(self) -> Self:
        """Return folders that exist, hold wanted mail, and cannot be read."""
        return self.filter(LEFT_OUT)

    def not_read(self) -> Self:
        """Return folders that exist and are not read, because of their class or because they are hidden."""
        return self.filter(NOT_READ)

    def try_again(self) -> int:
        """Let the next sync try refused folders, however long their pause is.

        Returns:
            The number of folders.
        """
        return self.filter(refused_since__isnull=False).update(**TRY_AGAIN)


class SyncedFolder(models.Model):
    """A folder of a mailbox with its checkpoint: the cursor behind the last page that was delivered completely."""

    mailbox = models.ForeignKey(Mailbox, on_delete=models.CASCADE, related_name="folders")
    folder_id = models.CharField(max_length=512)
    parent_id = models.CharField(max_length=512, blank=True)
    name = models.CharField(max_length=512)
    path = models.JSONField(default=list)
    kind = models.CharField(max_length=32, choices=[(kind.value, kind.value) for kind in FolderKind])
    folder_class = models.CharField(
        max_length=255, blank=True, default="", db_default="", help_text="Blank where there is none, or it is not told."
    )
    hidden = models.BooleanField(default=False, db_default=False, help_text="No mail client shows it.")
    holds_mail = models.BooleanField(default=True, help_text="See integrations.folder_classes.")
    gone = models.BooleanField(default=False)
    total = models.PositiveIntegerField(null=True, help_text="Items in it, when the tree was last told.")

    cursor = models.TextField(blank=True)
    pages = models.PositiveBigIntegerField(default=0, help_text="How often the checkpoint moved on; never goes back.")
    wanted_digest = models.CharField(
        max_length=64, blank=True, help_text="Of what was wanted when the cursor was made."
    )
    turn = models.PositiveBigIntegerField(
        default=0,
        help_text="The last round in which it had its turn: see sync.engine.folder_order. 0: not since its listing began.",
    )
    listing = models.BooleanField(default=False, help_text="Being listed from its beginning; not yet through.")
    read_since = models.PositiveSmallIntegerField(
        default=1, db_default=1, help_text="The first version of the fixed rules by which it is read."
    )
    looked_through = models.PositiveSmallIntegerField(
        default=1, db_default=1, help_text="The version by which it was last listed from its beginning to its end."
    )
    look_cursor = models.TextField(
        blank=True,
        default="",
        db_default="",
        help_text="How far it is looked through for the present one: see sync.engine.rescan.",
    )
    attempts = models.PositiveSmallIntegerField(default=0, help_text="Begun at the page behind the cursor.")
    attempt_of = models.UUIDField(null=True, help_text="The lease under which the last of them was begun.")
    item_in_hand = models.CharField(max_length=512, blank=True, help_text="While a page is tried one email at a time.")
    up_to_date = models.BooleanField(default=False)
    synced_until = models.DateTimeField(null=True, help_text="Received time of the newest email delivered.")
    synced_at = models.DateTimeField(null=True)

    refused_kind = models.CharField(
        max_length=64, blank=True, default="", db_default="", help_text="Of the error, while it cannot be read."
    )
    refused_detail = models.CharField(
        max_length=512, blank=True, default="", db_default="", help_text="The code of the server."
    )
    refused_since = models.DateTimeField(
        null=True, help_text="While it cannot be read: see sync.engine.folder_refusals."
    )
    refused_attempts = models.PositiveSmallIntegerField(
        default=0, db_default=0, help_text="Tries in a row that were refused, since somebody last asked for one."
    )
    retry_at = models.DateTimeField(null=True, help_text="Of a folder that was refused. Empty: at the next sync.")
    not_found = models.BooleanField(
        default=False,
        db_default=False,
        help_text="The server said so when it was last read, though it was in the tree.",
    )
    left_out = models.BooleanField(
        default=False, db_default=False, help_text="It cannot be read, others can, and its mail is wanted."
    )
    told_of = models.BooleanField(default=False, db_default=False, help_text="A notice told that it is left out.")

    counted = models.IntegerField(
        null=True, help_text="Items that its change reports say are in it. Empty: not counted since its listing began."
    )
    to_compare = models.BooleanField(
        default=False,
        db_default=False,
        help_text="The total is new, and no change was read since: see sync.engine.folder_totals.",
    )
    doubted_total = models.IntegerField(null=True, help_text="The total that did not fit, while that is looked into.")
    doubted_difference = models.IntegerField(null=True, help_text="That total without what was counted then.")
    usual_difference = models.IntegerField(
        default=0, db_default=0, help_text="The total without what is counted, where a new listing did not change it."
    )

    objects = SyncedFolders.as_manager()

    class Meta:
        ordering = ["path"]
        constraints = [models.UniqueConstraint(fields=["mailbox", "folder_id"], name="folder_unique_in_mailbox")]
        indexes = [models.Index(fields=["mailbox"], condition=models.Q(left_out=True), name="folder_left_out")]

    def __str__(self) -> str:
        return "/".join(self.path)

    @property
    def why_not_read(self) -> str:
        """Why the folder is not read, in a few words."""
        return why_not_read(self.folder_class, hidden=self.hidden)

    @property
    def difference_sentence(self) -> str:
        """How the total of the folder differs from what it lists, for people; blank when it does not."""
        return folder_totals.in_words(self.usual_difference)


class ReportedItem(models.Model):
    """An item in a folder, by the change reports of the folder: see `sync.store.folder_rosters`.

    The table has millions of rows, so a row is as small as possible.
    """

    pk = models.CompositePrimaryKey("folder_id", "key")
    folder = models.ForeignKey(SyncedFolder, on_delete=models.CASCADE, related_name="+", db_index=False)
    key = models.BigIntegerField(help_text="Digest of its id.")

    def __str__(self) -> str:
        return f"item {self.key} of folder {self.folder_id}"


class LedgerEntry(models.Model):
    """What a bucket holds under one comment id: as intended before a push, as confirmed after it."""

    class State(models.TextChoices):
        """Whether the comment was pushed for certain."""

        INTENDED = "intended", "Intended"
        CONFIRMED = "confirmed", "Confirmed"

    bucket = models.ForeignKey(Bucket, on_delete=models.CASCADE, related_name="entries")
    comment_id = models.CharField(max_length=1024)
    state = models.CharField(max_length=16, choices=State)
    content_digest = models.CharField(max_length=64, help_text="Of all but the properties, as first sent.")
    properties_digest = models.CharField(max_length=64, help_text="As last sent.")
    identity_digest = models.CharField(
        max_length=64, blank=True, help_text="Of sender, date and subject: tells two emails under one Message-ID apart."
    )
    winner_mailbox = models.ForeignKey(Mailbox, null=True, on_delete=models.SET_NULL, related_name="+")
    winner_item = models.CharField(max_length=512, blank=True, help_text="The copy synced last.")
    sequence = models.PositiveBigIntegerField(default=1, help_text="Raised by every change; compared before the next.")
    mark = models.UUIDField(null=True, help_text="Of the intention behind it; any other change of the entry clears it.")
    pushed_by = models.ForeignKey(Mailbox, null=True, on_delete=models.SET_NULL, related_name="+")
    in_flight_until = models.DateTimeField(
        null=True, help_text="No push of this intention can still be going on later."
    )
    dirty = models.BooleanField(default=False, help_text="The properties need to be sent again.")
    properties_version = models.PositiveSmallIntegerField(
        default=0,
        db_default=0,
        help_text="Of the set of properties that it was sent with: see sync.jobs.property_renewal. "
        "0: an old one, or not known.",
    )
    billed = models.BooleanField(default=False, help_text="Whether we created it, or found it there.")
    collision = models.BooleanField(default=False, help_text="Two different emails bear this Message-ID.")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name_plural = "ledger entries"
        constraints = [models.UniqueConstraint(fields=["bucket", "comment_id"], name="entry_unique_in_bucket")]
        indexes = [
            models.Index(fields=["winner_mailbox"], condition=models.Q(dirty=True), name="entry_dirty"),
            models.Index(fields=["winner_mailbox", "winner_item"], name="entry_winner"),
            models.Index(
                fields=["bucket", "id"], condition=models.Q(properties_version__lt=1), name="entry_incomplete"
            ),
            # The state is in the index so that AI units are counted from the index alone.
            models.Index(
                fields=["bucket", "created_at", "state"], condition=models.Q(billed=True), name="entry_billed"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.state} {self.comment_id[:16]}…"


class MailboxItem(models.Model):
    """An email in a mailbox folder: enough to recognise the email without a fetch."""

    mailbox = models.ForeignKey(Mailbox, on_delete=models.CASCADE, related_name="copies")
    folder = models.ForeignKey(SyncedFolder, on_delete=models.CASCADE, related_name="copies")
    item_id = models.CharField(max_length=512)
    change_key = models.CharField(max_length=128, blank=True)
    listed_id = models.CharField(max_length=1024, blank=True, help_text="Comment id by the Message-ID as listed.")
    comment_id = models.CharField(
        max_length=1024,
        blank=True,
        help_text="Comment id by the MIME header, once fetched; of what is newly wanted the key of its NewlyWanted.",
    )
    received = models.DateTimeField(null=True)
    size = models.PositiveBigIntegerField(default=0)
    verdict = models.CharField(max_length=32, help_text="delivered, set_aside, newly_wanted, or why it is not wanted")
    judged_by = models.CharField(max_length=64, blank=True, help_text="Digest of the rules behind the verdict.")

    class Meta:
        db_table = "sync_copy"  # the first name of this model
        constraints = [models.UniqueConstraint(fields=["mailbox", "item_id"], name="copy_unique_in_mailbox")]
        indexes = [
            models.Index(fields=["mailbox", "listed_id"], name="copy_listed"),
            models.Index(fields=["comment_id"], name="copy_comment"),
        ]

    def __str__(self) -> str:
        return f"item {self.pk}: {self.verdict}"


class NewlyWanted(models.Model):
    """An email that only a newer version of the fixed rules wants, and that existed before it.

    See `sync.engine.newly_wanted`. A row is stored as long as its mailbox, so that an email that was left once is not
    delivered by a later listing.
    """

    mailbox = models.ForeignKey(Mailbox, on_delete=models.CASCADE, related_name="newly_wanted")
    key = models.CharField(
        max_length=1024, help_text="What its copies have for a comment id: see sync.engine.newly_wanted.key_of."
    )
    version = models.PositiveSmallIntegerField(
        help_text="Of the rules, whose answer it waits for. 0: it comes at once."
    )
    draft = models.BooleanField(default=False, help_text="It is marked as a draft.")
    attempts = models.PositiveSmallIntegerField(default=0, help_text="To bring it, without a word of how that ended.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["mailbox", "key"], name="newly_wanted_unique_in_mailbox")]

    def __str__(self) -> str:
        return f"newly wanted {self.key[:16]}… since version {self.version}"


class RulesAnswer(models.Model):
    """Whether the emails of a mailbox that a version of the fixed rules newly wants are delivered or left."""

    mailbox = models.ForeignKey(Mailbox, on_delete=models.CASCADE, related_name="rules_answers")
    version = models.PositiveSmallIntegerField()
    bring = models.BooleanField()
    at = models.DateTimeField()
    by = models.CharField(max_length=150)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["mailbox", "version"], name="rules_answer_unique")]

    def __str__(self) -> str:
        return (
            f"{'bring' if self.bring else 'leave'} what version {self.version} newly wants of mailbox {self.mailbox_id}"
        )


class RulesTakenUp(models.Model):
    """When this installation took up a version of the fixed rules."""

    version = models.PositiveSmallIntegerField(primary_key=True)
    at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "rules taken up"

    def __str__(self) -> str:
        return f"version {self.version} at {self.at:%Y-%m-%d %H:%M:%S}"


VANISHED = Stage.GONE


class DeadLetterQuerySet(models.QuerySet["DeadLetter"]):
    """Queries of dead letters."""

    def waiting(self) -> Self:
        """Return what an administrator should see: not settled, found in Exchange, and tried often enough."""
        return self.filter(settled="").exclude(stage__in=HIDDEN_STAGES)


class DeadLetter(models.Model):
    """An email that cannot be delivered now, with the reason; its mailbox goes on. Stored until it is delivered."""

    mailbox = models.ForeignKey(Mailbox, on_delete=models.CASCADE, related_name="set_aside")
    folder = models.ForeignKey(SyncedFolder, on_delete=models.CASCADE, related_name="set_aside")
    item_id = models.CharField(max_length=512)
    change_key = models.CharField(max_length=128, blank=True)
    listed_id = models.CharField(max_length=1024, blank=True)
    received = models.DateTimeField(null=True)
    size = models.PositiveBigIntegerField(default=0)
    item_class = models.CharField(max_length=128, blank=True)
    stage = models.CharField(max_length=16, help_text="fetch, transform, deadline, push, worker or gone")
    kind = models.CharField(
        max_length=64,
        blank=True,
        default="",
        db_default="",
        help_text="See integrations.dead_letter_reasons. Decides; the reason does not.",
    )
    reason = models.CharField(
        max_length=512,
        blank=True,
        default="",
        db_default="",
        help_text="What the other side said of it: a code or a few words.",
    )
    attempts = models.PositiveSmallIntegerField(default=1)
    first_at = models.DateTimeField(auto_now_add=True)
    last_at = models.DateTimeField()
    retry_at = models.DateTimeField(null=True, help_text="Empty: by hand or by a newer version only.")
    transform_version = models.PositiveIntegerField(default=0)
    settled = models.CharField(max_length=16, blank=True, help_text="delivered, gone, unwanted or dismissed")
    settled_at = models.DateTimeField(null=True)

    objects = DeadLetterQuerySet.as_manager()

    class Meta:
        db_table = "sync_setasideemail"  # the first name of this model
        ordering = ["-last_at"]
        constraints = [models.UniqueConstraint(fields=["mailbox", "item_id"], name="set_aside_unique_in_mailbox")]
        indexes = [models.Index(fields=["mailbox", "retry_at"], name="set_aside_due")]
        permissions = [("preview_email", "Can read set-aside emails in a preview")]

    def __str__(self) -> str:
        return f"failed email {self.pk}: {self.kind}"


class SyncRun(models.Model):
    """One sync of one mailbox: when it ran, how it ended, and what it counted."""

    class Outcome(models.TextChoices):
        """How a run ended."""

        RUNNING = "running", "Running"
        DONE = "done", "Done"
        YIELDED = "yielded", "Yielded its slot"
        STOPPED = "stopped", "Stopped"
        FAILED = "failed", "Failed"
        LOST = "lost", "Worker lost"

    mailbox = models.ForeignKey(Mailbox, on_delete=models.CASCADE, related_name="runs")
    lease_token = models.UUIDField(null=True)
    worker = models.CharField(
        max_length=64, blank=True, db_default="", help_text="The process that runs it: see sync.jobs.processes."
    )
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=16, choices=Outcome, default=Outcome.RUNNING)
    error_kind = models.CharField(max_length=64, blank=True)
    error_text = models.TextField(blank=True)
    listed = models.PositiveIntegerField(default=0)
    fetched = models.PositiveIntegerField(default=0)
    created = models.PositiveIntegerField(default=0)
    updated = models.PositiveIntegerField(default=0)
    unchanged = models.PositiveIntegerField(default=0)
    not_wanted = models.PositiveIntegerField(default=0)
    set_aside = models.PositiveIntegerField(default=0)
    held_back = models.PositiveIntegerField(
        default=0, help_text="Updates not sent, because they could have been billed."
    )
    text_changes = models.PositiveIntegerField(default=0, help_text="As the server counted them: must stay 0.")
    longest_wait = models.PositiveIntegerField(
        null=True, help_text="Seconds from the arrival of a new email to its comment."
    )

    class Meta:
        ordering = ["-started_at"]
        indexes = [
            models.Index(fields=["mailbox", "-started_at"], name="run_of_mailbox"),
            models.Index(fields=["-started_at"], name="run_started"),
            models.Index(fields=["mailbox"], condition=models.Q(outcome="running"), name="run_open"),
            models.Index(fields=["started_at"], condition=models.Q(outcome="lost"), name="run_lost"),
        ]

    def __str__(self) -> str:
        return f"sync of mailbox {self.mailbox_id}: {self.outcome}"


def _folders(count: int) -> str:
    return "1 folder" if count == 1 else f"{count:,} folders"


class Verification(models.Model):
    """A comparison of a mailbox, the ledger and its bucket: its progress and its results.

    See `sync.jobs.verification`.
    """

    mailbox = models.OneToOneField(Mailbox, on_delete=models.CASCADE, primary_key=True, related_name="verification")
    repair = models.BooleanField(default=False)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    next_at = models.DateTimeField()
    claimed_until = models.DateTimeField(null=True)
    done_folders = models.JSONField(default=list)
    cursor = models.TextField(blank=True, help_text="In the folder in hand.")
    before_folder = models.JSONField(default=dict, help_text="What was counted before the folder in hand.")
    error_text = models.TextField(blank=True)
    folders = models.PositiveIntegerField(
        default=0, db_default=0, help_text="Wanted, and read to their end in Exchange."
    )
    emails = models.PositiveIntegerField(default=0, help_text="Wanted, and in Exchange.")
    well = models.PositiveIntegerField(default=0, help_text="In Re:infer as they should be.")
    waiting = models.PositiveIntegerField(default=0, help_text="The next syncs bring or change them.")
    set_aside = models.PositiveIntegerField(default=0)
    not_wanted = models.PositiveIntegerField(default=0, help_text="By their participants.")
    withheld = models.PositiveIntegerField(
        default=0, db_default=0, help_text="Wanted by newer rules, and neither brought nor left for good."
    )
    missing = models.PositiveIntegerField(default=0, help_text="In Exchange, and not in Re:infer.")
    outdated = models.PositiveIntegerField(default=0, help_text="In Re:infer with other properties than we sent.")
    surplus = models.PositiveIntegerField(default=0, help_text="In Re:infer, and no longer in Exchange.")
    left_out = models.PositiveIntegerField(
        default=0, db_default=0, help_text="Folders that could not be read; what is in them was not compared."
    )

    def __str__(self) -> str:
        return f"verification of mailbox {self.mailbox_id}"

    @property
    def is_none_there(self) -> bool:
        """Whether Re:infer holds none of the emails that should be there."""
        return self.missing > 0 and not self.well and not self.outdated

    @property
    def _compared(self) -> str:
        emails = f"{self.emails:,} email{'' if self.emails == 1 else 's'}"
        # Rows of an earlier version contain no number of folders.
        return f"{emails} in {_folders(self.folders)}" if self.folders else emails

    @property
    def sentence(self) -> str:
        """The results, for people."""
        if self.ended_at is None:
            return f"{self._compared} compared so far. {self.error_text}".strip()
        if self.error_text:
            return self.error_text
        differences = [
            f"{count:,} {what}" for count, what in ((self.missing, "missing"), (self.outdated, "outdated")) if count
        ]
        rest = [
            f"{count:,} {what}"
            for count, what in (
                (self.waiting, "on their way"),
                (self.set_aside, "failed"),
                (self.not_wanted, "not wanted"),
                (self.withheld, "newly wanted and not delivered"),
            )
            if count
        ]
        text = f"{self._compared} compared: {', '.join([*differences, f'{self.well:,} well', *rest])}."
        if self.is_none_there:
            text += " None of them is in Re:infer: check whether this is the right bucket."
        if self.left_out:
            text += f" {_folders(self.left_out)} could not be read: emails in there were not compared."
        if self.surplus:
            text += f" {self.surplus:,} comments whose email is no longer in Exchange are kept."
        if differences and self.repair:
            text += " The next sync repairs the differences."
        return text


class Activity(models.Model):
    """What one integration delivered to one bucket in one hour. A created comment costs an AI unit."""

    integration = models.ForeignKey(Integration, null=True, on_delete=models.SET_NULL, related_name="+")
    bucket = models.ForeignKey(Bucket, on_delete=models.CASCADE, related_name="+")
    hour = models.DateTimeField(help_text="Its beginning.")
    created = models.PositiveIntegerField(default=0)
    updated = models.PositiveIntegerField(default=0)
    set_aside = models.PositiveIntegerField(default=0)
    text_changes = models.PositiveIntegerField(default=0, help_text="As the server counted them: must stay 0.")
    longest_wait = models.PositiveIntegerField(
        null=True, help_text="Seconds from the arrival of a new email to its comment."
    )

    class Meta:
        verbose_name_plural = "activity"
        constraints = [models.UniqueConstraint(fields=["integration", "bucket", "hour"], name="activity_unique")]
        indexes = [models.Index(fields=["hour"], name="activity_hour")]

    def __str__(self) -> str:
        return f"activity at {self.hour:%Y-%m-%d %H:00}"


class MailDay(models.Model):
    """How many comments one mailbox created on one UTC day. No row means none.

    Stored for three weeks: see `sync.reporting.attention`.
    """

    mailbox = models.ForeignKey(Mailbox, on_delete=models.CASCADE, related_name="+")
    day = models.DateField()
    created = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["mailbox", "day"], name="mail_day_unique")]
        indexes = [models.Index(fields=["day"], name="mail_day")]

    def __str__(self) -> str:
        return f"{self.created} of mailbox {self.mailbox_id} on {self.day}"


class Comparison(models.Model):
    """How many comments a bucket holds, as Re:infer and the ledger count them. See `sync.jobs.bucket_audit`."""

    bucket = models.OneToOneField(Bucket, on_delete=models.CASCADE, primary_key=True, related_name="comparison")
    next_at = models.DateTimeField(help_text="When it is compared again.")
    compared_at = models.DateTimeField(null=True)
    stored = models.PositiveBigIntegerField(null=True, help_text="As Re:infer counts. Empty: it does not say.")
    confirmed = models.PositiveBigIntegerField(default=0, help_text="As our ledger counts.")
    missing_since = models.DateTimeField(null=True, help_text="Since when Re:infer holds fewer than it acknowledged.")
    surplus = models.PositiveBigIntegerField(null=True, help_text="So many comments were found that we did not know.")
    surplus_since = models.DateTimeField(null=True, help_text="When they were found, until an admin accepts them.")
    server_run = models.CharField(
        max_length=64, blank=True, default="", db_default="", help_text="Of the database server, at the comparison."
    )

    def __str__(self) -> str:
        return f"comparison of bucket {self.bucket_id}"


class Renewal(models.Model):
    """The progress of sending missing properties to the comments of a bucket. See `sync.jobs.property_renewal`."""

    bucket = models.OneToOneField(Bucket, on_delete=models.CASCADE, primary_key=True, related_name="renewal")
    next_at = models.DateTimeField(help_text="When it goes on.")
    cursor = models.BigIntegerField(default=0, help_text="The entry that was last taken; it begins anew at the end.")
    most = models.PositiveSmallIntegerField(default=1, help_text="How many comments are taken at once.")
    left = models.PositiveBigIntegerField(null=True, help_text="Comments that may lack a property. Empty: not counted.")
    renewed = models.PositiveBigIntegerField(default=0, help_text="Comments that were updated.")
    held_back = models.PositiveBigIntegerField(
        default=0, help_text="Comments that stay as they are, because an update could have been billed."
    )
    halted_at = models.DateTimeField(null=True, help_text="When Re:infer said that an update changed a text: no more.")

    def __str__(self) -> str:
        return f"renewal of bucket {self.bucket_id}"


class Account(models.Model):
    """Recently refused sign-ins of one account: see `sync.jobs.sign_in_budget`."""

    key = models.CharField(max_length=64, primary_key=True, help_text="A keyed digest of who signs in where.")
    refused = models.JSONField(
        default=list, help_text="When, with which secret (a keyed digest), and by whom if not over."
    )
    began_at = models.DateTimeField(help_text="The first of them.")
    doubted = models.BooleanField(default=False, help_text="Nobody has signed in anew since with the same secret.")
    until = models.DateTimeField(help_text="How long the last of them counts.")

    def __str__(self) -> str:
        return f"account {self.key[:8]}, refused {len(self.refused)} times"


class PollRate(models.Model):
    """How many polls per second were needed in one minute, and how many were done.

    Stored for a day: see `sync.jobs.poll_rate`.
    """

    at = models.DateTimeField(primary_key=True, help_text="The end of that minute.")
    needed = models.FloatField(help_text="By the intervals of the mailboxes that are up to date.")
    done = models.FloatField(help_text="Syncs that came to their end.")

    def __str__(self) -> str:
        return f"{self.done:.1f} of {self.needed:.1f} polls a second at {self.at:%Y-%m-%d %H:%M}"


class Tick(models.Model):
    """When a periodic task last ran. An old time means that beat or every worker is down."""

    name = models.CharField(max_length=32, primary_key=True)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name} at {self.at:%Y-%m-%d %H:%M:%S}"


class Process(models.Model):
    """A running worker or beat, and the state that it last stored.

    It stores it every few seconds, without the broker.
    """

    class Kind(models.TextChoices):
        """What the process does."""

        WORKER = "worker", "Worker"
        BEAT = "beat", "Beat"

    class Broker(models.TextChoices):
        """Why the process cannot use the broker."""

        AWAY = "away", "It does not answer"
        REFUSES = "refuses", "It answers, and takes nothing: it is full or read-only"

    name = models.CharField(max_length=32, primary_key=True, help_text="Drawn when it started.")
    kind = models.CharField(max_length=16, choices=Kind)
    host = models.CharField(max_length=255, help_text="As this host calls itself.")
    node = models.CharField(max_length=255, help_text="How people call it: celery@host.")
    started_at = models.DateTimeField()
    seen_at = models.DateTimeField()
    broker = models.CharField(max_length=16, choices=Broker, blank=True, help_text="Why it cannot use the broker.")
    broker_since = models.DateTimeField(null=True)
    busy_since = models.DateTimeField(
        null=True, help_text="Of a worker: since when each of its slots has had the task that it has."
    )
    unreadable = models.JSONField(
        default=list, help_text="Secrets that it cannot decrypt: integration:1, destination:2."
    )
    unreadable_since = models.DateTimeField(null=True)
    fault = models.CharField(max_length=64, blank=True, help_text="The kind of fault for which it takes no mailboxes.")
    fault_since = models.DateTimeField(null=True)

    class Meta:
        verbose_name_plural = "processes"

    def __str__(self) -> str:
        return f"{self.kind} {self.node}"
