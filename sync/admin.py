"""Django admin pages on which administrators look up records of the sync."""

from __future__ import annotations

from django.contrib import admin

from integrations.admin import RecordAdmin
from sync.models import Activity, DeadLetter, LedgerEntry, MailboxItem, MailboxState, SyncedFolder, SyncRun


@admin.register(MailboxState)
class MailboxStateAdmin(RecordAdmin):
    """Admin pages of the sync states of mailboxes."""

    list_display = ("mailbox", "next_sync_at", "lease_until", "failures", "synced_at", "up_to_date")
    list_select_related = ("mailbox",)
    search_fields = ("mailbox__address",)


@admin.register(SyncedFolder)
class SyncedFolderAdmin(RecordAdmin):
    """Admin pages of folders and their checkpoints."""

    list_display = ("__str__", "mailbox", "kind", "gone", "up_to_date", "left_out", "synced_at")
    list_select_related = ("mailbox",)
    search_fields = ("mailbox__address", "folder_id", "name")


@admin.register(LedgerEntry)
class LedgerEntryAdmin(RecordAdmin):
    """Admin pages of ledger entries."""

    list_display = ("comment_id", "bucket", "state", "dirty", "billed", "collision", "updated_at")
    list_select_related = ("bucket",)
    search_fields = ("=comment_id",)
    ordering = ("-pk",)


@admin.register(MailboxItem)
class MailboxItemAdmin(RecordAdmin):
    """Admin pages of mailbox items."""

    list_display = ("item_id", "mailbox", "folder", "verdict", "received", "size")
    list_select_related = ("mailbox", "folder")
    search_fields = ("=comment_id", "=listed_id")
    ordering = ("-pk",)


@admin.register(DeadLetter)
class DeadLetterAdmin(RecordAdmin):
    """Admin pages of dead letters."""

    list_display = ("mailbox", "kind", "reason", "attempts", "retry_at", "settled")
    list_select_related = ("mailbox",)
    list_filter = ("settled", "stage")


@admin.register(SyncRun)
class SyncRunAdmin(RecordAdmin):
    """Admin pages of sync runs."""

    list_display = ("mailbox", "started_at", "ended_at", "outcome", "created", "updated", "unchanged")
    list_select_related = ("mailbox",)
    list_filter = ("outcome",)


@admin.register(Activity)
class ActivityAdmin(RecordAdmin):
    """Admin pages of the activity per hour."""

    list_display = ("hour", "integration", "bucket", "created", "updated", "set_aside", "longest_wait")
    list_select_related = ("integration", "bucket")
    ordering = ("-hour",)
