"""Django's own admin for integrations and destinations: to look a record up. They are changed on our own pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db import models
from django.http import HttpRequest

from integrations.models import Destination, Integration

if TYPE_CHECKING:
    _ModelAdmin = admin.ModelAdmin[Any]
else:  # Django's admin knows its type arguments only in stubs.
    _ModelAdmin = admin.ModelAdmin


class RecordAdmin(_ModelAdmin):
    """Records to look at. A sealed secret is no editable field, and so is not among what is shown."""

    show_full_result_count = False
    """Some of these tables hold millions of rows."""
    formfield_overrides = {models.URLField: {"assume_scheme": "https"}}

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False


@admin.register(Integration)
class IntegrationAdmin(RecordAdmin):
    list_display = ("__str__", "project", "name", "auth", "enabled", "updated_at")
    search_fields = ("project", "name", "title")


@admin.register(Destination)
class DestinationAdmin(RecordAdmin):
    list_display = ("name", "endpoint", "updated_at")
