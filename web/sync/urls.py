"""URLs of the overview, sync runs, failed emails, the preview and the metrics."""

from django.urls import path

from web.sync import dead_letter_views, metrics_views, newly_wanted_views, overview_views, preview_views

urlpatterns = [
    path("", overview_views.overview, name="overview"),
    path("healthz", overview_views.healthz, name="healthz"),
    path("metrics", metrics_views.prometheus, name="metrics"),
    path("runs/", overview_views.runs, name="runs"),
    path("errors/", overview_views.errors, name="errors"),
    path("preview/", preview_views.preview_file, name="preview"),
    path("newly-wanted/", newly_wanted_views.overview, name="newly-wanted"),
    path("newly-wanted/bring/", newly_wanted_views.bring, name="newly-wanted-bring"),
    path("newly-wanted/leave/", newly_wanted_views.leave, name="newly-wanted-leave"),
    path("set-aside/", dead_letter_views.overview, name="set-aside"),
    path("set-aside/retry/", dead_letter_views.retry_shown, name="set-aside-retry-shown"),
    path("set-aside/<int:pk>/preview/", preview_views.preview_failed_email, name="set-aside-preview"),
    path("set-aside/<int:pk>/retry/", dead_letter_views.retry, name="set-aside-retry"),
    path("set-aside/<int:pk>/retry-like/", dead_letter_views.retry_like, name="set-aside-retry-like"),
    path("set-aside/<int:pk>/dismiss/", dead_letter_views.dismiss, name="set-aside-dismiss"),
]
