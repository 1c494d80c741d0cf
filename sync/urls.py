"""Addresses of the overview, of the sync runs and of set-aside emails."""

from django.urls import path

from sync import views

urlpatterns = [
    path("", views.overview, name="overview"),
    path("healthz", views.healthz, name="healthz"),
    path("runs/", views.runs, name="runs"),
    path("set-aside/<int:pk>/retry/", views.retry, name="set-aside-retry"),
    path("set-aside/<int:pk>/dismiss/", views.dismiss, name="set-aside-dismiss"),
]
