"""URLs of the pages of mailboxes and buckets."""

from django.urls import path

from web.mailboxes import views

urlpatterns = [
    path("integrations/<int:integration_pk>/mailboxes/new/", views.create, name="mailbox-new"),
    path("integrations/<int:integration_pk>/mailboxes/many/", views.create_many, name="mailbox-many"),
    path("mailboxes/<int:pk>/", views.detail, name="mailbox"),
    path("mailboxes/<int:pk>/cost/", views.cost, name="mailbox-cost"),
    path("mailboxes/<int:pk>/filter-preview/", views.filter_preview, name="mailbox-filter-preview"),
    path("mailboxes/<int:pk>/edit/", views.edit, name="mailbox-edit"),
    path("mailboxes/<int:pk>/delete/", views.delete, name="mailbox-delete"),
    path("mailboxes/<int:pk>/start/", views.start, name="mailbox-start"),
    path("mailboxes/<int:pk>/stop/", views.stop, name="mailbox-stop"),
    path("mailboxes/<int:pk>/sync-now/", views.sync_now, name="mailbox-sync-now"),
    path("mailboxes/<int:pk>/list-again/", views.list_again, name="mailbox-list-again"),
    path("mailboxes/<int:pk>/verify/", views.verify, name="mailbox-verify"),
    path("mailboxes/<int:pk>/verify/stop/", views.stop_verification, name="mailbox-verify-stop"),
    path("mailboxes/<int:pk>/repair/", views.repair, name="mailbox-repair"),
    path("mailboxes/<int:pk>/retry/", views.retry, name="mailbox-retry"),
    path("mailboxes/<int:pk>/send-again/", views.send_again, name="mailbox-send-again"),
    path("buckets/<int:pk>/edit/", views.edit_bucket, name="bucket-edit"),
    path("buckets/<int:pk>/resume/", views.resume_bucket, name="bucket-resume"),
    path("buckets/<int:pk>/accept/", views.accept_comments, name="bucket-accept"),
    path("buckets/<int:pk>/start-stopped/", views.start_stopped, name="bucket-start-stopped"),
    path("buckets/<int:pk>/test/", views.test_bucket, name="bucket-test"),
    path("buckets/<int:pk>/create/", views.create_bucket, name="bucket-create"),
]
