"""Errors of Re:infer: of a destination (endpoint and token) or of one bucket."""

from __future__ import annotations

from integrations.errors.base import Evidence, Refused, Transient
from integrations.errors.exchange import SettingsWrong

# ---- transient ----------------------------------------------------------------------------------------------------


class ReinferUnreachable(Transient):
    """No connection to the API could be opened."""

    kind = "reinfer_unreachable"
    evidence = Evidence.DESTINATION
    text = "Re:infer cannot be reached."
    remedy = "Check the API endpoint and the firewall. It is retried automatically."


class ReinferBusy(Transient):
    """Re:infer throttles the tenant."""

    kind = "reinfer_busy"
    evidence = Evidence.DESTINATION
    text = "Re:infer asked this product to send fewer requests."
    remedy = "It is retried automatically."


class ReinferTimedOut(Transient):
    """The deadline of a request passed, or Re:infer answered with status 408 or 504."""

    kind = "reinfer_timed_out"
    evidence = Evidence.DESTINATION
    may_be_item = True
    text = "Re:infer did not answer in time."
    remedy = "It is retried automatically."


class ReinferFailed(Transient):
    """Re:infer answered with status 409 or 5xx (except 504), or the connection was lost."""

    kind = "reinfer_failed"
    evidence = Evidence.DESTINATION
    may_be_item = True
    text = "Re:infer answered with an internal error, or the connection was lost."
    remedy = "It is retried automatically."


class ReinferUnintelligible(Transient):
    """The response is not in the format of Re:infer, or its HTTP status contradicts its body.

    No part of the answer is used.
    """

    kind = "reinfer_unintelligible"
    evidence = Evidence.DESTINATION
    may_be_item = True
    text = "The answer is not in the format of Re:infer."
    remedy = "Check the API endpoint, and whether a proxy or gateway answers in its place. It is retried automatically."


class ReinferNotStored(Transient):
    """Re:infer acknowledged several pushes of a comment, but the bucket still does not contain the comment."""

    kind = "reinfer_not_stored"
    evidence = Evidence.DESTINATION
    may_be_item = True
    text = "Re:infer accepted an email, but did not store it."
    remedy = "The email is pushed again automatically. If this continues, contact Re:infer's support about this bucket."


# ---- the destination ----------------------------------------------------------------------------------------------


class ReinferEndpointWrong(SettingsWrong):
    """The API endpoint is not a valid URL, or its host name is invalid."""

    kind = "reinfer_endpoint_wrong"
    evidence = Evidence.DESTINATION
    text = "This API endpoint of Re:infer cannot be used."
    remedy = "Correct it: it looks like https://cloud.uipath.com/organisation/tenant/reinfer_ with your own names."


class ReinferCertificateUntrusted(Refused):
    """The TLS certificate of the API failed verification."""

    kind = "reinfer_certificate_untrusted"
    evidence = Evidence.DESTINATION
    text = "The certificate of Re:infer is not trusted, has expired, or is for another name."
    remedy = "Correct the API endpoint, or add the authority that signed it to the file that SSL_CERT_FILE names."


class ReinferTokenRefused(Refused):
    """Re:infer answered 401."""

    kind = "reinfer_token_refused"
    evidence = Evidence.DESTINATION
    text = "Re:infer refused the API token."
    remedy = (
        "Create a new token on the Manage Account page of Re:infer and enter it at the destination. Then start the stopped "
        "mailboxes on the page of the destination."
    )


class ReinferRefused(Refused):
    """Re:infer refused a request as malformed, and not because of a single comment."""

    kind = "reinfer_refused"
    evidence = Evidence.DESTINATION
    text = "Re:infer refused a request that is valid according to its documentation."
    remedy = "Check whether a newer version of this product is available."


# ---- one bucket ---------------------------------------------------------------------------------------------------


class ReinferForbidden(Refused):
    """Re:infer answered 403 for a bucket."""

    kind = "reinfer_forbidden"
    evidence = Evidence.BUCKET
    text = "The API token may not write to this bucket."
    remedy = "Give its user the permission to edit messages in the project of this bucket."


class BucketNotFound(Refused):
    """The bucket does not exist, or the token may not see it."""

    kind = "bucket_not_found"
    evidence = Evidence.BUCKET
    text = "Re:infer has no bucket with this project and name."
    remedy = "Create it with the button Create at Re:infer on the page of the destination, or correct its name."


class BucketNameWrong(SettingsWrong):
    """The project or the name of the bucket is invalid."""

    kind = "bucket_name_wrong"
    evidence = Evidence.BUCKET
    text = "No bucket can have this project and name."
    remedy = "Correct the project or the name."


class ProjectNotFound(Refused):
    """The project of the bucket does not exist, or the token may not see it."""

    kind = "project_not_found"
    evidence = Evidence.BUCKET
    text = "Re:infer has no project with this name."
    remedy = "Create the project in Re:infer, or correct its name."


class QuotaReached(Refused):
    """The tenant may create no more comments."""

    kind = "comment_quota_hit"
    evidence = Evidence.BUCKET
    text = "The quota of the Re:infer tenant is reached."
    remedy = "Raise the quota in Re:infer. Then, on the page of the destination, start the mailboxes that were stopped."


class BudgetReached(QuotaReached):
    """The limit of AI units that an admin set in this product is reached."""

    kind = "syncemail_consumption_limit_exceeded"
    text = "The monthly limit of AI units that you set for this bucket is reached."
    remedy = "Its mailboxes continue automatically when the month ends, or as soon as you raise the limit."


class TooManyRefused(Refused):
    """The circuit breaker of a bucket is open: see `sync.engine.circuit_breaker`."""

    kind = "too_many_refused"
    evidence = Evidence.BUCKET
    text = (
        "Recently, too many emails of this bucket were refused by Re:infer, or could not be converted. The bucket was stopped "
        "to protect your mail."
    )
    remedy = (
        "No email is lost, and no further email fails. If this product was just upgraded, go back to the previous version and "
        "report it to its makers. If these emails themselves are faulty, press Resume: for one day, such emails become "
        "failed emails, and the others are delivered."
    )
