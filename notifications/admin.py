"""Django's own admin: to look at notices, and at how telling went. Webhooks are made by the API."""

from django.contrib import admin

from integrations.admin import RecordAdmin
from notifications.models import Delivery, Notification, Webhook


@admin.register(Notification)
class NotificationAdmin(RecordAdmin):
    list_display = ("kind", "text", "created_at")
    list_filter = ("kind",)


@admin.register(Delivery)
class DeliveryAdmin(RecordAdmin):
    list_display = ("notice", "webhook", "attempts", "next_at", "delivered_at", "last_problem")


@admin.register(Webhook)
class WebhookAdmin(RecordAdmin):
    list_display = ("url", "enabled", "created_at")
