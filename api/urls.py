"""The URLs of the API."""

from csp.constants import SELF
from csp.decorators import csp_update
from django.urls import path, re_path, register_converter
from django.urls.converters import IntConverter, StringConverter
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from api.reinfer_compat import buckets as vendor_buckets
from api.reinfer_compat import integrations as vendor_integrations
from api.reinfer_compat import projects, unsupported, users
from api.views import destinations, history, integrations, mailboxes, many_mailboxes, syncing, tokens, webhooks


class Id(IntConverter):
    """A primary key, with at most 18 digits so that the database can store it."""

    regex = "[0-9]{1,18}"


class Name(StringConverter):
    """The name of a project, an integration or a bucket."""

    regex = r"[A-Za-z0-9_.-]{1,1024}"


class Hex(StringConverter):
    """An id in hexadecimal notation, the format of Re:infer's ids."""

    regex = "[0-9a-f]{1,16}"


register_converter(Hex, "hex")
register_converter(Id, "id")
register_converter(Name, "name")

ONE = "api/v1/integrations/<name:project>/<name:name>"
BOX = "api/v1/mailboxes/<id:pk>"
# The style sheet of Swagger UI contains images as data URLs, which our content security policy forbids elsewhere.
docs = csp_update({"img-src": [SELF, "data:"]})(SpectacularSwaggerSplitView.as_view(url_name="api-schema"))

VENDOR = "api/_private"
BUCKET = "api/_private/buckets/id:<hex:hex_pk>"
ASIDE = "api/v1/set-aside/<id:pk>"

urlpatterns = [
    path("api/v1/destinations", destinations.Destinations.as_view(), name="api-destinations"),
    path("api/v1/destinations/try", destinations.TryDestination.as_view(), name="api-destinations-try"),
    path(
        "api/v1/destinations/<id:pk>/available-buckets",
        destinations.BucketsAvailable.as_view(),
        name="api-destination-available-buckets",
    ),
    path("api/v1/destinations/<id:pk>", destinations.OneDestination.as_view(), name="api-destination"),
    path("api/v1/destinations/<id:pk>/check", destinations.CheckDestination.as_view(), name="api-destination-check"),
    path(
        "api/v1/destinations/<id:pk>/start-stopped",
        destinations.StartStoppedOfDestination.as_view(),
        name="api-destination-start-stopped",
    ),
    path("api/v1/buckets", destinations.BucketsView.as_view(), name="api-buckets"),
    path("api/v1/buckets/<id:pk>", destinations.BucketView.as_view(), name="api-bucket"),
    path("api/v1/buckets/<id:pk>/check", destinations.CheckBucket.as_view(), name="api-bucket-check"),
    path("api/v1/buckets/<id:pk>/resume", destinations.ResumeBucket.as_view(), name="api-bucket-resume"),
    path("api/v1/buckets/<id:pk>/accept", destinations.AcceptComments.as_view(), name="api-bucket-accept"),
    path(
        "api/v1/buckets/<id:pk>/start-stopped",
        destinations.StartStoppedOfBucket.as_view(),
        name="api-bucket-start-stopped",
    ),
    path("api/v1/buckets/<id:pk>/create", destinations.CreateBucket.as_view(), name="api-bucket-create"),
    path("api/v1/integrations", integrations.IntegrationsView.as_view(), name="api-integrations"),
    path(ONE, integrations.IntegrationView.as_view(), name="api-integration"),
    path(f"{ONE}/start", integrations.StartIntegration.as_view(), name="api-integration-start"),
    path(f"{ONE}/stop", integrations.StopIntegration.as_view(), name="api-integration-stop"),
    path(f"{ONE}/check", integrations.CheckIntegration.as_view(), name="api-integration-check"),
    path(f"{ONE}/try", integrations.TryIntegration.as_view(), name="api-integration-try"),
    path(f"{ONE}/estimate", integrations.EstimateIntegration.as_view(), name="api-integration-estimate"),
    path(f"{ONE}/switch-to-graph", integrations.SwitchToGraph.as_view(), name="api-integration-switch-to-graph"),
    path(f"{ONE}/switch-to-ews", integrations.SwitchToEws.as_view(), name="api-integration-switch-to-ews"),
    path(f"{ONE}/mailboxes", mailboxes.MailboxesOfIntegration.as_view(), name="api-integration-mailboxes"),
    path("api/v1/mailboxes", mailboxes.Mailboxes.as_view(), name="api-mailboxes"),
    path("api/v1/mailboxes/start", many_mailboxes.StartMailboxes.as_view(), name="api-mailboxes-start"),
    path("api/v1/mailboxes/stop", many_mailboxes.StopMailboxes.as_view(), name="api-mailboxes-stop"),
    path("api/v1/mailboxes/sync-now", many_mailboxes.SyncMailboxesNow.as_view(), name="api-mailboxes-sync-now"),
    path("api/v1/mailboxes/list-again", many_mailboxes.ListMailboxesAgain.as_view(), name="api-mailboxes-list-again"),
    path(
        "api/v1/mailboxes/bring-newly-wanted",
        many_mailboxes.BringNewlyWantedOfMany.as_view(),
        name="api-mailboxes-bring-newly-wanted",
    ),
    path(
        "api/v1/mailboxes/leave-newly-wanted",
        many_mailboxes.LeaveNewlyWantedOfMany.as_view(),
        name="api-mailboxes-leave-newly-wanted",
    ),
    path(BOX, mailboxes.OneMailbox.as_view(), name="api-mailbox"),
    path(f"{BOX}/folders", mailboxes.Folders.as_view(), name="api-mailbox-folders"),
    path(f"{BOX}/folders-not-read", mailboxes.FoldersNotRead.as_view(), name="api-mailbox-folders-not-read"),
    path(f"{BOX}/folders/<id:folder>", mailboxes.OneFolder.as_view(), name="api-mailbox-folder"),
    path(
        f"{BOX}/folders/<id:folder>/list-again",
        mailboxes.ListFolderAgain.as_view(),
        name="api-mailbox-folder-list-again",
    ),
    path(f"{BOX}/filter-preview", mailboxes.FilterPreview.as_view(), name="api-mailbox-filter-preview"),
    path(f"{BOX}/start", mailboxes.StartMailbox.as_view(), name="api-mailbox-start"),
    path(f"{BOX}/stop", mailboxes.StopMailbox.as_view(), name="api-mailbox-stop"),
    path(f"{BOX}/sync-now", mailboxes.SyncNow.as_view(), name="api-mailbox-sync-now"),
    path(f"{BOX}/list-again", mailboxes.ListAgain.as_view(), name="api-mailbox-list-again"),
    path(f"{BOX}/send-again", mailboxes.SendAgain.as_view(), name="api-mailbox-send-again"),
    path(f"{BOX}/bring-newly-wanted", mailboxes.BringNewlyWanted.as_view(), name="api-mailbox-bring-newly-wanted"),
    path(f"{BOX}/leave-newly-wanted", mailboxes.LeaveNewlyWanted.as_view(), name="api-mailbox-leave-newly-wanted"),
    path(f"{BOX}/verification", mailboxes.VerificationOfMailbox.as_view(), name="api-mailbox-verification"),
    path(f"{BOX}/repair", mailboxes.Repair.as_view(), name="api-mailbox-repair"),
    path(f"{BOX}/estimate", mailboxes.EstimateMailbox.as_view(), name="api-mailbox-estimate"),
    path("api/v1/newly-wanted", many_mailboxes.NewlyWantedView.as_view(), name="api-newly-wanted"),
    path("api/v1/runs", syncing.Runs.as_view(), name="api-runs"),
    path("api/v1/errors", syncing.Errors.as_view(), name="api-errors"),
    path("api/v1/set-aside", syncing.FailedEmailsView.as_view(), name="api-set-aside-emails"),
    path("api/v1/set-aside/retry", syncing.RetryMany.as_view(), name="api-set-aside-retry-many"),
    path(ASIDE, syncing.FailedEmailView.as_view(), name="api-set-aside"),
    path(f"{ASIDE}/retry", syncing.Retry.as_view(), name="api-set-aside-retry"),
    path(f"{ASIDE}/dismiss", syncing.Dismiss.as_view(), name="api-set-aside-dismiss"),
    path(f"{ASIDE}/preview", syncing.PreviewFailedEmail.as_view(), name="api-set-aside-preview"),
    path("api/v1/preview", syncing.PreviewView.as_view(), name="api-preview"),
    path("api/v1/usage", syncing.Usage.as_view(), name="api-usage"),
    path("api/v1/overview", syncing.Overview.as_view(), name="api-overview"),
    path("api/v1/history", history.History.as_view(), name="api-history"),
    path("api/v1/webhooks", webhooks.Webhooks.as_view(), name="api-webhooks"),
    path("api/v1/webhooks/<id:pk>", webhooks.OneWebhook.as_view(), name="api-webhook"),
    path("api/v1/tokens", tokens.Tokens.as_view(), name="api-tokens"),
    path("api/v1/tokens/<uuid:pk>", tokens.OneToken.as_view(), name="api-token"),
    path(
        "api/_private/integrations", vendor_integrations.ReinferIntegrations.as_view(), name="api-vendor-integrations"
    ),
    path(
        f"{VENDOR}/integrations/id:<hex:hex_pk>",
        vendor_integrations.IntegrationById.as_view(),
        name="api-vendor-integration-id",
    ),
    path(
        f"{VENDOR}/integrations/<name:project>",
        vendor_integrations.ReinferIntegrations.as_view(),
        name="api-vendor-project",
    ),
    path(
        f"{VENDOR}/integrations/<name:project>/<name:name>",
        vendor_integrations.ReinferIntegration.as_view(),
        name="api-vendor-integration",
    ),
    path(
        f"{VENDOR}/integrations/<name:project>/<name:name>/errors",
        vendor_integrations.IntegrationErrors.as_view(),
        name="api-vendor-errors",
    ),
    path(f"{VENDOR}/buckets", vendor_buckets.ReinferBuckets.as_view(), name="api-vendor-buckets"),
    path(f"{BUCKET}", vendor_buckets.BucketById.as_view(), name="api-vendor-bucket-id"),
    path(f"{BUCKET}/keyed-sync-states/", vendor_buckets.SyncStates.as_view(), name="api-vendor-sync-states"),
    path(f"{BUCKET}/keyed-sync-state-ids", vendor_buckets.SyncStateIds.as_view(), name="api-vendor-sync-state-ids"),
    path(f"{BUCKET}/keyed-sync-state/<hex:key>", vendor_buckets.OneSyncState.as_view(), name="api-vendor-sync-state"),
    path(
        f"{VENDOR}/buckets/<name:project>", vendor_buckets.ReinferBuckets.as_view(), name="api-vendor-buckets-project"
    ),
    path(
        f"{VENDOR}/buckets/<name:project>/<name:name>", vendor_buckets.ReinferBucket.as_view(), name="api-vendor-bucket"
    ),
    path(
        f"{VENDOR}/buckets/<name:project>/<name:name>/statistics",
        vendor_buckets.BucketStatistics.as_view(),
        name="api-vendor-bucket-statistics",
    ),
    path(f"{VENDOR}/projects", projects.Projects.as_view(), name="api-vendor-projects"),
    path(f"{VENDOR}/projects/<name:project>", projects.OneProject.as_view(), name="api-vendor-one-project"),
    path("auth/user", users.CurrentUser.as_view(), name="api-vendor-user"),
    path("auth/refresh-user-permissions", users.RefreshPermissions.as_view(), name="api-vendor-permissions"),
    path(f"{VENDOR}/<path:rest>", unsupported.UnsupportedRequest.as_view(), name="api-vendor-elsewhere"),
    re_path(
        rf"^api/v1/(?P<rest>(?:{'|'.join(unsupported.REINFER_PATHS)})(?:/.*)?)$",
        unsupported.UnsupportedRequest.as_view(),
        name="api-vendor-re-infers",
    ),
    path("api/schema", SpectacularAPIView.as_view(), name="api-schema"),
    path("api/docs", docs, name="api-docs"),
]
