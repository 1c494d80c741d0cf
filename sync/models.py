"""Models of the sync. They never store the subject, body or correspondents of an email."""

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
        """Update rows. If `next_sync_at` is set to None, the mailboxes are due at once, and `asked_at` is set to now.

        A value for `asked_at` among the arguments is used instead.

        Args:
            **values: New values by field name.

        Returns:
            The number of updated rows.
        """
        if "next_sync_at" in values and values["next_sync_at"] is None:
            values.setdefault("asked_at", Now())
        return super().update(**values)


class MailboxState(models.Model):
    """The sync state of a mailbox, such as when it is due, its lease, and the result of its last sync.

    All times are times of the database's clock, except the default of `asked_at`. The state is not stored in the table of
    mailboxes, so that saving a form of a mailbox never overwrites values that a worker wrote meanwhile.
    """

    mailbox = models.OneToOneField(Mailbox, on_delete=models.CASCADE, primary_key=True, related_name="state")
    next_sync_at = models.DateTimeField(null=True, help_text="When the mailbox is due. Empty: at once.")
    asked_at = models.DateTimeField(
        default=timezone.now,
        help_text="When the mailbox was last made due at once, for example because it was added, started or changed.",
    )
    queued_until = models.DateTimeField(
        null=True, help_text="A task for this mailbox is queued. After this time the task counts as lost."
    )
    probe = models.BooleanField(default=False, help_text="Its next sync is a half-open trial of a circuit breaker.")
    lease_token = models.UUIDField(null=True)
    lease_until = models.DateTimeField(null=True)
    folders_cursor = models.TextField(blank=True)
    tree_version = models.PositiveSmallIntegerField(
        default=0,
        db_default=0,
        help_text="The version of integrations.folder_classes with which its folder tree was last read.",
    )
    folders_of = models.CharField(max_length=320, blank=True, help_text="The address to which folders_cursor belongs.")
    whole_tree_at = models.DateTimeField(
        null=True, help_text="When the whole folder tree is requested again, with totals. Empty: at the next sync."
    )
    ids_of = models.CharField(
        max_length=16,
        default=Integration.Api.EWS,
        help_text="The API that gave the stored ids and cursors: see sync.store.source_change.",
    )
    former_until = models.DateTimeField(
        null=True,
        help_text="The time until which the previous API reported every change. Empty: no stored item has an id of that API.",
    )
    round = models.PositiveBigIntegerField(default=1, help_text="The current round: see sync.engine.folder_order.")
    pass_began = models.PositiveBigIntegerField(default=1, help_text="The round in which the current pass began.")
    list_again = models.BooleanField(
        default=False, help_text="The next sync drops every cursor of this mailbox: a full resync."
    )
    send_again = models.BooleanField(
        default=False,
        help_text="The next sync drops the ledger entries and items of the mailbox, to push missing comments again.",
    )
    failures = models.PositiveIntegerField(default=0, help_text="Failed syncs in a row.")
    failing_since = models.DateTimeField(null=True)
    error_kind = models.CharField(max_length=64, blank=True)
    error_text = models.TextField(blank=True)
    refused_alone = models.BooleanField(
        default=False,
        db_default=False,
        help_text="Its sign-in was refused, and another mailbox has signed in since with the same credentials.",
    )
    synced_at = models.DateTimeField(
        null=True, help_text="When a sync last finished: every folder that can be read was read to its end."
    )
    up_to_date = models.BooleanField(
        default=False, help_text="Every folder that can be read was read to its end. Folders may be left out."
    )
    pages = models.PositiveBigIntegerField(
        default=0, help_text="The sum of pages of all its folders when a sync last ended: see sync.jobs.housekeeping."
    )
    learned = models.CharField(
        max_length=32,
        blank=True,
        default="",
        db_default="",
        help_text="A fact about the mailbox that its source learned: see integrations.ports.Learner.",
    )
    went_back_at = models.DateTimeField(
        null=True, help_text="When its checkpoints were last found to be older than at the end of a sync."
    )
    rules = models.PositiveSmallIntegerField(
        default=current,
        db_default=1,
        help_text="The version of the fixed rules with which it is synced: see sync.jobs.rules_upgrade.",
    )
    looked_for = models.PositiveSmallIntegerField(
        default=current,
        db_default=1,
        help_text="The version of the fixed rules for which all of its folders that can be read were rescanned.",
    )

    objects = MailboxStates.as_manager()

    class Meta:
        indexes = [models.Index(fields=["next_sync_at"], name="state_due")]

    def __str__(self) -> str:
        return f"state of mailbox {self.mailbox_id}"


TRY_AGAIN: dict[str, Any] = {"refused_attempts": 0, "retry_at": None}
"""Values of a refused folder that the next sync has to try, regardless of earlier attempts."""
READABLE: dict[str, Any] = {
    **TRY_AGAIN,
    "refused_kind": "",
    "refused_detail": "",
    "refused_since": None,
    "left_out": False,
    "told_of": False,
    "not_found": False,
}
"""Values of a folder that can be read. These values also reset a refusal that is no longer valid."""
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
"""Values of a folder that has to be listed from its beginning."""


LEFT_OUT = models.Q(left_out=True, gone=False, holds_mail=True)
NOT_READ = models.Q(gone=False, holds_mail=False)


class SyncedFolders(models.QuerySet["SyncedFolder"]):
    """Queries of folders."""

    def left_out(self) -> Self:
        """Return folders that exist, whose mail is wanted, and that cannot be read."""
        return self.filter(LEFT_OUT)

    def not_read(self) -> Self:
        """Return folders that exist and are not read, because of their class or because they are hidden."""
        return self.filter(NOT_READ)

    def try_again(self) -> int:
        """Let the next sync try refused folders, even if their retry is not due.

        Returns:
            The number of refused folders.
        """
        return self.filter(refused_since__isnull=False).update(**TRY_AGAIN)


class SyncedFolder(models.Model):
    """A folder of a mailbox with its checkpoint: the cursor after the last page that was delivered completely."""

    mailbox = models.ForeignKey(Mailbox, on_delete=models.CASCADE, related_name="folders")
    folder_id = models.CharField(max_length=512)
    parent_id = models.CharField(max_length=512, blank=True)
    name = models.CharField(max_length=512)
    path = models.JSONField(default=list)
    kind = models.CharField(max_length=32, choices=[(kind.value, kind.value) for kind in FolderKind])
    folder_class = models.CharField(
        max_length=255,
        blank=True,
        default="",
        db_default="",
        help_text="Blank if the folder has no class, or if the server reports none.",
    )
    hidden = models.BooleanField(default=False, db_default=False, help_text="Mail clients do not show it.")
    holds_mail = models.BooleanField(default=True, help_text="Whether it is read: see integrations.folder_classes.")
    gone = models.BooleanField(default=False)
    total = models.PositiveIntegerField(
        null=True, help_text="Number of items in it when it was last listed in the tree."
    )

    cursor = models.TextField(blank=True)
    pages = models.PositiveBigIntegerField(default=0, help_text="How often the checkpoint advanced. Never decreases.")
    wanted_digest = models.CharField(
        max_length=64, blank=True, help_text="The filter digest with which it was last read or tried."
    )
    turn = models.PositiveBigIntegerField(
        default=0,
        help_text="The last round in which it had its turn: see sync.engine.folder_order. 0: none since its listing began.",
    )
    listing = models.BooleanField(
        default=False, help_text="It is being listed from its beginning, and the listing has not ended."
    )
    read_since = models.PositiveSmallIntegerField(
        default=1, db_default=1, help_text="The first version of the fixed rules with which it is read."
    )
    looked_through = models.PositiveSmallIntegerField(
        default=1,
        db_default=1,
        help_text="The version of the fixed rules with which it was listed from beginning to end, or counts as rescanned.",
    )
    look_cursor = models.TextField(
        blank=True,
        default="",
        db_default="",
        help_text="The cursor of its rescan: see sync.engine.rescan.",
    )
    attempts = models.PositiveSmallIntegerField(
        default=0, help_text="Number of attempts at the page after the cursor that an email of the page may have ended."
    )
    attempt_of = models.UUIDField(
        null=True, help_text="The token of the lease under which the last attempt was started."
    )
    item_in_hand = models.CharField(
        max_length=512,
        blank=True,
        help_text="The item that is processed now, while the emails of a page are delivered one by one.",
    )
    up_to_date = models.BooleanField(default=False)
    synced_until = models.DateTimeField(null=True, help_text="When the newest delivered email was received.")
    synced_at = models.DateTimeField(null=True)

    refused_kind = models.CharField(
        max_length=64,
        blank=True,
        default="",
        db_default="",
        help_text="The kind of the error, while it cannot be read.",
    )
    refused_detail = models.CharField(
        max_length=512, blank=True, default="", db_default="", help_text="The error code that the server returned."
    )
    refused_since = models.DateTimeField(
        null=True, help_text="Since when it cannot be read: see sync.engine.folder_refusals."
    )
    refused_attempts = models.PositiveSmallIntegerField(
        default=0,
        db_default=0,
        help_text="Refused attempts in a row. Reset by a request of a user, and by a change of the filters.",
    )
    retry_at = models.DateTimeField(
        null=True, help_text="When it is tried again after a refusal. Empty: at the next sync."
    )
    not_found = models.BooleanField(
        default=False,
        db_default=False,
        help_text="The server did not find it at the last attempt, although the folder tree contained it.",
    )
    left_out = models.BooleanField(
        default=False, db_default=False, help_text="It cannot be read, other folders can, and its mail is wanted."
    )
    told_of = models.BooleanField(
        default=False, db_default=False, help_text="A notification has reported that it is left out."
    )

    counted = models.IntegerField(
        null=True,
        help_text="Number of items in it according to change reports. Empty: not listed from its beginning since counts exist.",
    )
    to_compare = models.BooleanField(
        default=False,
        db_default=False,
        help_text="The total is new and was not compared yet: see sync.engine.folder_totals.",
    )
    doubted_total = models.IntegerField(
        null=True, help_text="The total that differs from the count, while the difference is investigated."
    )
    doubted_difference = models.IntegerField(null=True, help_text="That total minus the count at that time.")
    usual_difference = models.IntegerField(
        default=0,
        db_default=0,
        help_text="The total minus the count, if listing the folder again did not change the difference.",
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
        """A sentence on the difference between the total and the listed items; blank if there is none."""
        return folder_totals.difference_text(self.usual_difference)


class ReportedItem(models.Model):
    """An item that is in a folder according to change reports: see `sync.store.folder_rosters`.

    The table can have millions of rows, so a row is as small as possible.
    """

    pk = models.CompositePrimaryKey("folder_id", "key")
    folder = models.ForeignKey(SyncedFolder, on_delete=models.CASCADE, related_name="+", db_index=False)
    key = models.BigIntegerField(help_text="Digest of the item id.")

    def __str__(self) -> str:
        return f"item {self.key} of folder {self.folder_id}"


class LedgerEntry(models.Model):
    """One comment of a bucket: intended before its push; confirmed after the push, or when it is found in the bucket."""

    class State(models.TextChoices):
        """Whether it is certain that the bucket has the comment."""

        INTENDED = "intended", "Intended"
        CONFIRMED = "confirmed", "Confirmed"

    bucket = models.ForeignKey(Bucket, on_delete=models.CASCADE, related_name="entries")
    comment_id = models.CharField(max_length=1024)
    state = models.CharField(max_length=16, choices=State)
    content_digest = models.CharField(
        max_length=64, help_text="Digest of everything but the properties, as first pushed or as found in the bucket."
    )
    properties_digest = models.CharField(
        max_length=64, help_text="Digest of the properties, as last pushed or found. Blank: they are outdated."
    )
    identity_digest = models.CharField(
        max_length=64,
        blank=True,
        help_text="Digest of sender, time of sending and subject. It distinguishes emails with one Message-ID.",
    )
    winner_mailbox = models.ForeignKey(Mailbox, null=True, on_delete=models.SET_NULL, related_name="+")
    winner_item = models.CharField(
        max_length=512, blank=True, help_text="The id of the mailbox item that was synced last."
    )
    sequence = models.PositiveBigIntegerField(
        default=1,
        help_text="Increased by changes. A decision is stored only if the entry still has the sequence with which it was read.",
    )
    mark = models.UUIDField(
        null=True,
        help_text="Identifies the last intention or renewal. Any later change except its confirmation clears it.",
    )
    pushed_by = models.ForeignKey(Mailbox, null=True, on_delete=models.SET_NULL, related_name="+")
    in_flight_until = models.DateTimeField(
        null=True, help_text="By this time, the push of this intention has certainly ended."
    )
    dirty = models.BooleanField(default=False, help_text="The properties have to be pushed again.")
    properties_version = models.PositiveSmallIntegerField(
        default=0,
        db_default=0,
        help_text="The version of the set of properties with which it was pushed: see sync.jobs.property_renewal. "
        "0: old or unknown.",
    )
    billed = models.BooleanField(
        default=False,
        help_text="Whether this product created the comment. False if it was found in the bucket, or is not confirmed yet.",
    )
    collision = models.BooleanField(default=False, help_text="Two different emails have this Message-ID.")
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
    """An email in a folder of a mailbox, with the data that identify the email without a fetch."""

    mailbox = models.ForeignKey(Mailbox, on_delete=models.CASCADE, related_name="copies")
    folder = models.ForeignKey(SyncedFolder, on_delete=models.CASCADE, related_name="copies")
    item_id = models.CharField(max_length=512)
    change_key = models.CharField(max_length=128, blank=True)
    listed_id = models.CharField(
        max_length=1024, blank=True, help_text="Comment id from the Message-ID that the folder lists."
    )
    comment_id = models.CharField(
        max_length=1024,
        blank=True,
        help_text="Comment id from the MIME header, after the email was fetched. For a newly wanted email: NewlyWanted.key.",
    )
    received = models.DateTimeField(null=True)
    size = models.PositiveBigIntegerField(default=0)
    verdict = models.CharField(max_length=32, help_text="delivered, set_aside, newly_wanted, or why it is not wanted")
    judged_by = models.CharField(
        max_length=64, blank=True, help_text="The filter digest with which the verdict was reached."
    )

    class Meta:
        db_table = "sync_copy"  # the table is older than the name of this model
        constraints = [models.UniqueConstraint(fields=["mailbox", "item_id"], name="copy_unique_in_mailbox")]
        indexes = [
            models.Index(fields=["mailbox", "listed_id"], name="copy_listed"),
            models.Index(fields=["comment_id"], name="copy_comment"),
        ]

    def __str__(self) -> str:
        return f"item {self.pk}: {self.verdict}"


class NewlyWanted(models.Model):
    """An email that only a newer version of the fixed rules wants.

    It waits for the decision of an administrator, or is delivered at once: see `sync.engine.newly_wanted`. The row of
    an email that an administrator chose to leave stays until its mailbox is deleted, so that no later listing delivers
    the email.
    """

    mailbox = models.ForeignKey(Mailbox, on_delete=models.CASCADE, related_name="newly_wanted")
    key = models.CharField(
        max_length=1024, help_text="The comment_id of its mailbox items: see sync.engine.newly_wanted.key_of."
    )
    version = models.PositiveSmallIntegerField(
        help_text="The version of the fixed rules on which an administrator has to decide. 0: it is delivered at once."
    )
    draft = models.BooleanField(default=False, help_text="It is marked as a draft.")
    attempts = models.PositiveSmallIntegerField(
        default=0, help_text="Attempts at its delivery that ended without a recorded result."
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["mailbox", "key"], name="newly_wanted_unique_in_mailbox")]

    def __str__(self) -> str:
        return f"newly wanted {self.key[:16]}… since version {self.version}"


class RulesAnswer(models.Model):
    """The decision on the emails of a mailbox that a version of the fixed rules newly wants: deliver or leave them."""

    mailbox = models.ForeignKey(Mailbox, on_delete=models.CASCADE, related_name="rules_answers")
    version = models.PositiveSmallIntegerField()
    bring = models.BooleanField()
    at = models.DateTimeField()
    by = models.CharField(max_length=150)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["mailbox", "version"], name="rules_answer_unique")]

    def __str__(self) -> str:
        return (
            f"{'deliver' if self.bring else 'leave'} the newly wanted emails of version {self.version} "
            f"in mailbox {self.mailbox_id}"
        )


class RulesTakenUp(models.Model):
    """The time at which this installation first used a version of the fixed rules."""

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
        """Return the dead letters that pages show: not settled, and not in a hidden stage (`HIDDEN_STAGES`)."""
        return self.filter(settled="").exclude(stage__in=HIDDEN_STAGES)


class DeadLetter(models.Model):
    """An email that cannot be delivered now, with the reason. The sync of its mailbox continues without it.

    A row that is not settled is deleted only together with its mailbox.
    """

    mailbox = models.ForeignKey(Mailbox, on_delete=models.CASCADE, related_name="dead_letters")
    folder = models.ForeignKey(SyncedFolder, on_delete=models.CASCADE, related_name="dead_letters")
    item_id = models.CharField(max_length=512)
    change_key = models.CharField(max_length=128, blank=True)
    listed_id = models.CharField(max_length=1024, blank=True)
    received = models.DateTimeField(null=True)
    size = models.PositiveBigIntegerField(default=0)
    item_class = models.CharField(max_length=128, blank=True)
    stage = models.CharField(max_length=16, help_text="fetch, transform, deadline, push, worker, gone or again")
    kind = models.CharField(
        max_length=64,
        blank=True,
        default="",
        db_default="",
        help_text="See integrations.dead_letter_reasons. Decisions depend on the kind and the stage, not on the reason.",
    )
    reason = models.CharField(
        max_length=512,
        blank=True,
        default="",
        db_default="",
        help_text="What Exchange or Re:infer reported: a code or a few words.",
    )
    attempts = models.PositiveSmallIntegerField(default=1)
    first_at = models.DateTimeField(auto_now_add=True)
    last_at = models.DateTimeField()
    retry_at = models.DateTimeField(
        null=True, help_text="Empty: it is settled, or only a user or a newer version of this product retries it."
    )
    transform_version = models.PositiveIntegerField(default=0)
    settled = models.CharField(
        max_length=16, blank=True, help_text="delivered, gone, unwanted or dismissed. Blank: not settled"
    )
    settled_at = models.DateTimeField(null=True)

    objects = DeadLetterQuerySet.as_manager()

    class Meta:
        db_table = "sync_setasideemail"  # the table is older than the name of this model
        ordering = ["-last_at"]
        constraints = [models.UniqueConstraint(fields=["mailbox", "item_id"], name="set_aside_unique_in_mailbox")]
        indexes = [models.Index(fields=["mailbox", "retry_at"], name="set_aside_due")]
        permissions = [("preview_email", "Can read set-aside emails in a preview")]

    def __str__(self) -> str:
        return f"failed email {self.pk}: {self.kind}"


class SyncRun(models.Model):
    """One sync of one mailbox: its times, its outcome and its counts."""

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
        max_length=64,
        blank=True,
        db_default="",
        help_text="The name of the worker process of the run: see sync.jobs.processes.",
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
        default=0, help_text="Number of updates that were not pushed, because Re:infer could have billed them."
    )
    text_changes = models.PositiveIntegerField(
        default=0, help_text="Number of updates that Re:infer counted as a changed text. Must stay 0."
    )
    longest_wait = models.PositiveIntegerField(
        null=True, help_text="The longest time from the arrival of a new email to its comment, in seconds."
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
    """The progress and the results of a comparison of Exchange, the ledger and the bucket, for one mailbox.

    See `sync.jobs.verification`.
    """

    mailbox = models.OneToOneField(Mailbox, on_delete=models.CASCADE, primary_key=True, related_name="verification")
    repair = models.BooleanField(default=False)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    next_at = models.DateTimeField()
    claimed_until = models.DateTimeField(null=True)
    done_folders = models.JSONField(default=list)
    cursor = models.TextField(blank=True, help_text="The cursor in the folder that is compared now.")
    before_folder = models.JSONField(default=dict, help_text="The counts from before the folder that is compared now.")
    error_text = models.TextField(blank=True)
    folders = models.PositiveIntegerField(
        default=0, db_default=0, help_text="Wanted folders that were read to their end in Exchange."
    )
    emails = models.PositiveIntegerField(default=0, help_text="Wanted emails in Exchange.")
    well = models.PositiveIntegerField(
        default=0, help_text="In Re:infer, with the right properties if they name this mailbox."
    )
    waiting = models.PositiveIntegerField(default=0, help_text="The next syncs push or update them.")
    set_aside = models.PositiveIntegerField(default=0)
    not_wanted = models.PositiveIntegerField(
        default=0, help_text="Not wanted, for example because of their participants."
    )
    withheld = models.PositiveIntegerField(
        default=0,
        db_default=0,
        help_text="Newly wanted, and not delivered: an administrator has not decided, or chose to leave them.",
    )
    missing = models.PositiveIntegerField(default=0, help_text="In Exchange, but not in Re:infer or not in the ledger.")
    outdated = models.PositiveIntegerField(
        default=0, help_text="In Re:infer with other properties than those that were pushed."
    )
    surplus = models.PositiveIntegerField(
        default=0, help_text="In Re:infer, but no longer in any mailbox of the bucket."
    )
    left_out = models.PositiveIntegerField(
        default=0, db_default=0, help_text="Folders that could not be read. Emails in them were not compared."
    )

    def __str__(self) -> str:
        return f"verification of mailbox {self.mailbox_id}"

    @property
    def is_none_there(self) -> bool:
        """Whether Re:infer has none of the emails that it should have."""
        return self.missing > 0 and not self.well and not self.outdated

    @property
    def _compared(self) -> str:
        emails = f"{self.emails:,} email{'' if self.emails == 1 else 's'}"
        # Rows that an earlier version wrote contain no number of folders.
        return f"{emails} in {_folders(self.folders)}" if self.folders else emails

    @property
    def sentence(self) -> str:
        """The results as text for a page."""
        if self.ended_at is None:
            return f"{self._compared} compared so far. {self.error_text}".strip()
        if self.error_text:
            return self.error_text
        differences = [
            f"{count:,} {label}" for count, label in ((self.missing, "missing"), (self.outdated, "outdated")) if count
        ]
        others = [
            f"{count:,} {label}"
            for count, label in (
                (self.waiting, "waiting for a sync"),
                (self.set_aside, "failed"),
                (self.not_wanted, "filtered out"),
                (self.withheld, "newly wanted and not delivered"),
            )
            if count
        ]
        text = f"{self._compared} compared: {', '.join([*differences, f'{self.well:,} correct', *others])}."
        if self.is_none_there:
            text += " None of them is in Re:infer: check whether this is the right bucket."
        if self.left_out:
            text += f" {_folders(self.left_out)} could not be read, so emails there were not compared."
        if self.surplus:
            comments, verb = ("1 comment", "is") if self.surplus == 1 else (f"{self.surplus:,} comments", "are")
            text += f" {comments} whose email is no longer in Exchange {verb} kept."
        if differences and self.repair:
            text += " The next sync repairs the differences."
        return text


class Activity(models.Model):
    """Counts of what one integration delivered to one bucket in one hour. A created comment costs an AI unit.

    A row without an integration counts the changed texts of a property renewal, or its integration was deleted.
    """

    integration = models.ForeignKey(Integration, null=True, on_delete=models.SET_NULL, related_name="+")
    bucket = models.ForeignKey(Bucket, on_delete=models.CASCADE, related_name="+")
    hour = models.DateTimeField(help_text="The beginning of the hour.")
    created = models.PositiveIntegerField(default=0)
    updated = models.PositiveIntegerField(default=0)
    set_aside = models.PositiveIntegerField(default=0)
    text_changes = models.PositiveIntegerField(
        default=0, help_text="Number of updates that Re:infer counted as a changed text. Must stay 0."
    )
    longest_wait = models.PositiveIntegerField(
        null=True, help_text="The longest time from the arrival of a new email to its comment, in seconds."
    )

    class Meta:
        verbose_name_plural = "activity"
        constraints = [models.UniqueConstraint(fields=["integration", "bucket", "hour"], name="activity_unique")]
        indexes = [models.Index(fields=["hour"], name="activity_hour")]

    def __str__(self) -> str:
        return f"activity at {self.hour:%Y-%m-%d %H:00}"


class MailDay(models.Model):
    """The number of comments that were created from one mailbox on one day in UTC. No row means that none was created.

    Stored for three weeks: see `sync.jobs.pruning`. Used by `sync.reporting.alerts.silence`.
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
    """The last bucket audit: the number of comments that Re:infer counts, and the number of confirmed ledger entries.

    See `sync.jobs.bucket_audit`.
    """

    bucket = models.OneToOneField(Bucket, on_delete=models.CASCADE, primary_key=True, related_name="comparison")
    next_at = models.DateTimeField(help_text="When the bucket is compared again.")
    compared_at = models.DateTimeField(null=True)
    stored = models.PositiveBigIntegerField(
        null=True, help_text="Number of comments that Re:infer counts. Empty: it does not report one."
    )
    confirmed = models.PositiveBigIntegerField(default=0, help_text="Number of confirmed entries in the ledger.")
    missing_since = models.DateTimeField(
        null=True, help_text="Since when Re:infer counts fewer comments than the ledger has confirmed entries."
    )
    surplus = models.PositiveBigIntegerField(
        null=True, help_text="Number of comments in the bucket that are not in the ledger."
    )
    surplus_since = models.DateTimeField(
        null=True, help_text="When the surplus was found. Empty: there is none, or an administrator accepted it."
    )
    server_run = models.CharField(
        max_length=64,
        blank=True,
        default="",
        db_default="",
        help_text="Identifies the run of the database server during the comparison.",
    )

    def __str__(self) -> str:
        return f"comparison of bucket {self.bucket_id}"


class Renewal(models.Model):
    """The progress of pushing missing properties to the comments of a bucket. See `sync.jobs.property_renewal`."""

    bucket = models.OneToOneField(Bucket, on_delete=models.CASCADE, primary_key=True, related_name="renewal")
    next_at = models.DateTimeField(help_text="When the renewal continues.")
    cursor = models.BigIntegerField(
        default=0,
        help_text="Primary key of the ledger entry that was processed last. Starts again at 0 after the last entry.",
    )
    most = models.PositiveSmallIntegerField(default=1, help_text="Maximum number of comments in the next batch.")
    left = models.PositiveBigIntegerField(
        null=True, help_text="Number of comments that may lack a property. Empty: not counted."
    )
    renewed = models.PositiveBigIntegerField(default=0, help_text="Number of comments that were updated.")
    held_back = models.PositiveBigIntegerField(
        default=0, help_text="Number of comments that are not updated, because Re:infer could bill the update."
    )
    halted_at = models.DateTimeField(
        null=True, help_text="When Re:infer reported that an update changed a text. No update is pushed after that."
    )

    def __str__(self) -> str:
        return f"renewal of bucket {self.bucket_id}"


class Account(models.Model):
    """Recently refused sign-ins of one account: see `sync.jobs.sign_in_budget`."""

    key = models.CharField(max_length=64, primary_key=True, help_text="A keyed digest of the account and its server.")
    refused = models.JSONField(
        default=list,
        help_text="For each refused sign-in and each counted attempt that runs: the time, and a keyed digest of the secret.",
    )
    began_at = models.DateTimeField(help_text="When the first of these sign-ins was refused.")
    doubted = models.BooleanField(
        default=False, help_text="The account may be at fault, so all attempts to sign in with it are counted."
    )
    until = models.DateTimeField(help_text="The time until which the last refused sign-in counts.")

    def __str__(self) -> str:
        return f"account {self.key[:8]}, refused {len(self.refused)} times"


class PollRate(models.Model):
    """The needed and the actual number of polls per second, measured over the time since the previous row: usually a minute.

    Stored for a day: see `sync.jobs.poll_rate`.
    """

    at = models.DateTimeField(primary_key=True, help_text="The end of the measured time.")
    needed = models.FloatField(
        help_text="Polls per second that the poll intervals of the mailboxes that are up to date require."
    )
    done = models.FloatField(help_text="Finished syncs per second.")

    def __str__(self) -> str:
        return f"{self.done:.1f} of {self.needed:.1f} polls a second at {self.at:%Y-%m-%d %H:%M}"


class Tick(models.Model):
    """When a periodic task last ran. If a task is overdue, beat, the broker or every worker may be down."""

    name = models.CharField(max_length=32, primary_key=True)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name} at {self.at:%Y-%m-%d %H:%M:%S}"


class Process(models.Model):
    """A running worker or beat process, with its state.

    The process updates its row every ten seconds, directly in the database and without the broker.
    """

    class Kind(models.TextChoices):
        """What the process does."""

        WORKER = "worker", "Worker"
        BEAT = "beat", "Beat"

    class Broker(models.TextChoices):
        """Why the process cannot use the broker."""

        AWAY = "away", "It does not answer"
        REFUSES = "refuses", "It answers but accepts no messages: it is full or read-only"

    name = models.CharField(max_length=32, primary_key=True, help_text="A random name, chosen when the process starts.")
    kind = models.CharField(max_length=16, choices=Kind)
    host = models.CharField(max_length=255, help_text="The host name.")
    node = models.CharField(max_length=255, help_text="The name on pages and in logs: celery@host.")
    started_at = models.DateTimeField()
    seen_at = models.DateTimeField()
    broker = models.CharField(
        max_length=16, choices=Broker, blank=True, help_text="Why it cannot use the broker. Blank: it can."
    )
    broker_since = models.DateTimeField(null=True)
    busy_since = models.DateTimeField(
        null=True, help_text="Of a worker: since when all of its slots have been busy with their present tasks."
    )
    unreadable = models.JSONField(
        default=list,
        help_text="The owners of the secrets that it cannot decrypt, such as integration:1 or destination:2.",
    )
    unreadable_since = models.DateTimeField(null=True)
    fault = models.CharField(
        max_length=64, blank=True, help_text="The kind of product error because of which it takes no mailboxes."
    )
    fault_since = models.DateTimeField(null=True)

    class Meta:
        verbose_name_plural = "processes"

    def __str__(self) -> str:
        return f"{self.kind} {self.node}"
