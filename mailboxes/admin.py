"""Django's own admin for mailboxes and buckets: to look a record up. They are changed on our own pages."""

from __future__ import annotations

from django.contrib import admin

from integrations.admin import RecordAdmin
from mailboxes.models import Bucket, Mailbox


@admin.register(Mailbox)
class MailboxAdmin(RecordAdmin):
    list_display = ("address", "integration", "bucket", "enabled", "updated_at")
    list_select_related = ("integration", "bucket")
    search_fields = ("address",)


@admin.register(Bucket)
class BucketAdmin(RecordAdmin):
    list_display = ("__str__", "destination", "trusted", "examined_at")
    list_select_related = ("destination",)
