"""Django's own admin for sync records, to look up a record that needs an explanation."""

from __future__ import annotations

from django.contrib import admin

from integrations.admin import RecordAdmin
from sync.models import Activity, DeadLetter, LedgerEntry, MailboxItem, MailboxState, SyncedFolder, SyncRun


@admin.register(MailboxState)
class MailboxStateAdmin(RecordAdmin):
    """Sync states of mailboxes."""

    list_display = ("mailbox", "next_sync_at", "lease_until", "failures", "synced_at", "up_to_date")
    list_select_related = ("mailbox",)
    search_fields = ("mailbox__address",)


@admin.register(SyncedFolder)
class SyncedFolderAdmin(RecordAdmin):
    """Folders with their checkpoints."""

    list_display = ("__str__", "mailbox", "kind", "gone", "up_to_date", "left_out", "synced_at")
    list_select_related = ("mailbox",)
    search_fields = ("mailbox__address", "folder_id", "name")


@admin.register(LedgerEntry)
class LedgerEntryAdmin(RecordAdmin):
    """Ledger entries."""

    list_display = ("comment_id", "bucket", "state", "dirty", "billed", "collision", "updated_at")
    list_select_related = ("bucket",)
    search_fields = ("=comment_id",)
    ordering = ("-pk",)


@admin.register(MailboxItem)
class MailboxItemAdmin(RecordAdmin):
    """Mailbox items."""

    list_display = ("item_id", "mailbox", "folder", "verdict", "received", "size")
    list_select_related = ("mailbox", "folder")
    search_fields = ("=comment_id", "=listed_id")
    ordering = ("-pk",)


@admin.register(DeadLetter)
class DeadLetterAdmin(RecordAdmin):
    """Dead letters."""

    list_display = ("mailbox", "kind", "reason", "attempts", "retry_at", "settled")
    list_select_related = ("mailbox",)
    list_filter = ("settled", "stage")


@admin.register(SyncRun)
class SyncRunAdmin(RecordAdmin):
    """Sync runs."""

    list_display = ("mailbox", "started_at", "ended_at", "outcome", "created", "updated", "unchanged")
    list_select_related = ("mailbox",)
    list_filter = ("outcome",)


@admin.register(Activity)
class ActivityAdmin(RecordAdmin):
    """Activity by hour."""

    list_display = ("hour", "integration", "bucket", "created", "updated", "set_aside", "longest_wait")
    list_select_related = ("integration", "bucket")
    ordering = ("-hour",)
