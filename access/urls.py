"""The address of the page of what people did."""

from django.urls import path

from access import views

urlpatterns = [path("history/", views.history, name="history")]
