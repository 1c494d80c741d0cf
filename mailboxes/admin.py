"""Read-only pages of the Django admin for mailboxes and buckets. The product's own pages change them."""

from __future__ import annotations

from django.contrib import admin

from integrations.admin import RecordAdmin
from mailboxes.models import Bucket, Mailbox


@admin.register(Mailbox)
class MailboxAdmin(RecordAdmin):
    """Read-only admin page of a mailbox."""

    list_display = ("address", "integration", "bucket", "enabled", "updated_at")
    list_select_related = ("integration", "bucket")
    search_fields = ("address",)


@admin.register(Bucket)
class BucketAdmin(RecordAdmin):
    """Read-only admin page of a bucket."""

    list_display = ("__str__", "destination", "trusted", "examined_at")
    list_select_related = ("destination",)
