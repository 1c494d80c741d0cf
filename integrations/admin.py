"""Read-only pages of the Django admin for integrations and destinations. The product's own pages change them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db import models
from django.http import HttpRequest

from integrations.models import Destination, Integration

if TYPE_CHECKING:
    _ModelAdmin = admin.ModelAdmin[Any]
else:  # Only the stubs of Django's admin accept type arguments.
    _ModelAdmin = admin.ModelAdmin


class RecordAdmin(_ModelAdmin):
    """A read-only admin page. Encrypted secrets are not shown because they are not editable fields."""

    show_full_result_count = False
    """Counting is slow: some of these tables have millions of rows."""
    formfield_overrides = {models.URLField: {"assume_scheme": "https"}}

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Return False: the Django admin adds no record."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        """Return False: the Django admin changes no record."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        """Return False: the Django admin deletes no record."""
        return False


@admin.register(Integration)
class IntegrationAdmin(RecordAdmin):
    """The admin page of integrations."""

    list_display = ("__str__", "project", "name", "auth", "enabled", "updated_at")
    search_fields = ("project", "name", "title")


@admin.register(Destination)
class DestinationAdmin(RecordAdmin):
    """The admin page of destinations."""

    list_display = ("name", "endpoint", "updated_at")
