"""URLs of the pages of integrations and destinations."""

from django.urls import path

from web.integrations import destination_pages, document_pages, integration_pages, switch_pages

urlpatterns = [
    path("integrations/", integration_pages.overview, name="integrations"),
    path("integrations/new/", integration_pages.create, name="integration-new"),
    path("integrations/try/", integration_pages.try_, name="integration-try"),
    path("integrations/<int:pk>/ready/", integration_pages.ready, name="integration-ready"),
    path("integrations/<int:pk>/cost/", integration_pages.cost, name="integration-cost"),
    path("integrations/import/", document_pages.import_, name="integration-import"),
    path("integrations/<int:pk>/export/", document_pages.export, name="integration-export"),
    path("integrations/<int:pk>/", integration_pages.detail, name="integration"),
    path("integrations/<int:pk>/part/<slug:name>/", integration_pages.tab, name="integration-tab"),
    path("integrations/<int:pk>/select/", integration_pages.select, name="integration-select"),
    path("integrations/<int:pk>/edit/", integration_pages.edit, name="integration-edit"),
    path("integrations/<int:pk>/switch/", switch_pages.switch, name="integration-switch"),
    path("integrations/<int:pk>/delete/", integration_pages.delete, name="integration-delete"),
    path("integrations/<int:pk>/start/", integration_pages.start, name="integration-start"),
    path("integrations/<int:pk>/stop/", integration_pages.stop, name="integration-stop"),
    path("integrations/<int:pk>/test/", integration_pages.test, name="integration-test"),
    path("destinations/", destination_pages.overview, name="destinations"),
    path("destinations/new/", destination_pages.create, name="destination-new"),
    path("destinations/try/", destination_pages.try_, name="destination-try"),
    path("destinations/buckets/", destination_pages.buckets, name="destination-buckets"),
    path("destinations/<int:pk>/", destination_pages.detail, name="destination"),
    path("destinations/<int:pk>/edit/", destination_pages.edit, name="destination-edit"),
    path("destinations/<int:pk>/delete/", destination_pages.delete, name="destination-delete"),
    path("destinations/<int:pk>/test/", destination_pages.test, name="destination-test"),
    path("destinations/<int:pk>/start-stopped/", destination_pages.start_stopped, name="destination-start-stopped"),
]
