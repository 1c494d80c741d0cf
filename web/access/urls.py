"""The URL of the audit log page."""

from django.urls import path

from web.access import history_views

urlpatterns = [path("history/", history_views.history, name="history")]
