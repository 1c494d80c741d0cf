"""Read-only pages for notifications, deliveries and webhooks in Django's admin. Webhooks are created by the API."""

from django.contrib import admin

from integrations.admin import RecordAdmin
from notifications.models import Delivery, Notification, Webhook


@admin.register(Notification)
class NotificationAdmin(RecordAdmin):
    """Read-only admin page of a notification."""

    list_display = ("kind", "text", "created_at")
    list_filter = ("kind",)


@admin.register(Delivery)
class DeliveryAdmin(RecordAdmin):
    """Read-only admin page of a delivery."""

    list_display = ("notice", "webhook", "attempts", "next_at", "delivered_at", "last_problem")


@admin.register(Webhook)
class WebhookAdmin(RecordAdmin):
    """Read-only admin page of a webhook."""

    list_display = ("url", "enabled", "created_at")
