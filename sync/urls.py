"""Addresses of the overview, of the sync runs and of set-aside emails."""

from django.urls import path

from sync import metrics_views, newly_views, preview_views, set_aside_views, views

urlpatterns = [
    path("", views.overview, name="overview"),
    path("healthz", views.healthz, name="healthz"),
    path("metrics", metrics_views.prometheus, name="metrics"),
    path("runs/", views.runs, name="runs"),
    path("errors/", views.errors, name="errors"),
    path("preview/", preview_views.preview_file, name="preview"),
    path("newly-wanted/", newly_views.overview, name="newly-wanted"),
    path("newly-wanted/bring/", newly_views.bring, name="newly-wanted-bring"),
    path("newly-wanted/leave/", newly_views.leave, name="newly-wanted-leave"),
    path("set-aside/", set_aside_views.overview, name="set-aside"),
    path("set-aside/retry/", set_aside_views.retry_shown, name="set-aside-retry-shown"),
    path("set-aside/<int:pk>/preview/", preview_views.preview_set_aside, name="set-aside-preview"),
    path("set-aside/<int:pk>/retry/", set_aside_views.retry, name="set-aside-retry"),
    path("set-aside/<int:pk>/retry-like/", set_aside_views.retry_like, name="set-aside-retry-like"),
    path("set-aside/<int:pk>/dismiss/", set_aside_views.dismiss, name="set-aside-dismiss"),
]
