"""The texts of errors in the versions that stored an error as its whole text.

Migrations use the texts to take such stored errors apart, so never change a text.
"""

from __future__ import annotations

TEXTS: dict[str, tuple[str, str]] = {
    'unknown': (
        'Something failed that this product has no name for.',
        'It is tried again by itself. If it stays, look at the log of the worker.',
    ),
    'exchange_busy': (
        'Exchange is busy and asked to be left alone for a while.',
        'It is tried again by itself.',
    ),
    'exchange_unreachable': (
        'Exchange cannot be reached.',
        'Check the endpoint, the port, the proxy and the firewall. It is tried again by itself.',
    ),
    'exchange_timed_out': (
        'Exchange did not answer in time.',
        'It is tried again by itself.',
    ),
    'exchange_failed': (
        'Exchange answered with an error of its own.',
        "It is tried again by itself. If it stays, an Exchange admin finds it in the server's log.",
    ),
    'token_endpoint_failed': (
        'The sign-in service did not hand out a token.',
        'Check that its address can be reached from here. It is tried again by itself.',
    ),
    'mailbox_moving': (
        'The mailbox is being moved or its store is offline.',
        'It is tried again by itself.',
    ),
    'database_failed': (
        'PostgreSQL did not answer, or refused to write.',
        'It is tried again by itself. If it stays, look at the log, the disk and the connection limit of PostgreSQL.',
    ),
    'internal_error': (
        'This product met a situation that it was not made for.',
        "It is tried again by itself; please report it, with the line `sync.broke` of the worker's log.",
    ),
    'reinfer_unreachable': (
        'Re:infer cannot be reached.',
        'Check the API endpoint and the firewall. It is tried again by itself.',
    ),
    'reinfer_busy': (
        'Re:infer asked us to slow down.',
        'It is tried again by itself.',
    ),
    'reinfer_timed_out': (
        'Re:infer did not answer in time.',
        'It is tried again by itself.',
    ),
    'reinfer_failed': (
        'Re:infer answered with an error of its own.',
        'It is tried again by itself.',
    ),
    'reinfer_unintelligible': (
        'Something answered that does not speak like Re:infer.',
        'Check the API endpoint, and whether a proxy or gateway answers in its place. It is tried again by itself.',
    ),
    'invalid_exchange_credentials': (
        'Exchange refused these credentials.',
        'Update them and press Start.',
    ),
    'client_secret_wrong': (
        'The sign-in service does not know this client secret.',
        'Enter the value of the secret, not its ID, or create a new one in the Entra app. Then press Start.',
    ),
    'client_secret_expired': (
        'The client secret has expired.',
        'Create a new one in the Entra app, enter it here and press Start.',
    ),
    'client_certificate_refused': (
        'The sign-in service does not accept this certificate.',
        'Upload the certificate that belongs to this private key to the Entra app, and look whether it has expired.',
    ),
    'application_unknown': (
        'The tenant has no application with this ID.',
        'Correct the application (client) ID or the tenant ID.',
    ),
    'tenant_unknown': (
        'The sign-in service knows no such tenant.',
        'Correct the tenant ID, or the sign-in service where yours is a national cloud.',
    ),
    'account_locked': (
        'The service user is locked or disabled, or its password has expired.',
        'Unlock it or set a new password in Entra, enter it here and press Start.',
    ),
    'second_factor_needed': (
        'The tenant does not let the service user sign in with a password alone.',
        'Sign in by certificate or client secret, or exempt this user from the rule of conditional access.',
    ),
    'consent_missing': (
        'Nobody has consented to the permissions of this application.',
        'An administrator of the tenant grants them in the Entra app. Then press Start.',
    ),
    'certificate_untrusted': (
        'The certificate of the server is not trusted, or is for another name.',
        'Add the authority that signed it to the CA bundle, or correct the endpoint.',
    ),
    'tls_failed': (
        'No secure connection could be agreed upon.',
        'Check the minimum TLS version and the cipher list against what the server offers.',
    ),
    'endpoint_wrong': (
        'There is no Exchange Web Services at this endpoint.',
        'Correct the endpoint: it usually ends in /EWS/Exchange.asmx.',
    ),
    'graph_endpoint_wrong': (
        'There is no Microsoft Graph at this endpoint.',
        'Correct the endpoint: it is https://graph.microsoft.com, or that of your national cloud.',
    ),
    'settings_wrong': (
        'A setting of this connection cannot be used.',
        'Correct it and press Start.',
    ),
    'unknown_forbidden_error': (
        'Exchange forbids access by EWS.',
        'EWS may be switched off for the organisation, for its mailboxes, or for this user agent: an Exchange admin looks with Get-OrganizationConfig and Get-CASMailbox. Then press Start.',
    ),
    'ews_blocked_online': (
        "Exchange Online does not let this application use EWS: it is switched off, or not on the tenant's allow list.",
        'Press Switch to Graph. Or, until 31 March 2027, an Exchange admin runs Set-OrganizationConfig -EwsEnabled $true -EwsAllowedAppIDs "<the ids that are listed already>,<the application id of this integration>": it replaces the whole list, and takes up to a day. Then press Start.',
    ),
    'graph_permission_missing': (
        'The application may not read mail by Microsoft Graph.',
        'Give it the role Application Mail.Read in RBAC for Applications, for the mailboxes of this integration, or let an administrator consent to the permission Mail.Read. It can take two hours to work.',
    ),
    'app_access_insufficient_scopes': (
        'The account may not impersonate this mailbox.',
        'Grant it the ApplicationImpersonation role for this mailbox, or choose delegate access.',
    ),
    'mailbox_access_denied': (
        'The account may not read this mailbox.',
        'Grant it read access to the mailbox.',
    ),
    'mailbox_out_of_scope': (
        'The application may not read this mailbox by Microsoft Graph.',
        "Add the mailbox to the scope of the application's role in RBAC for Applications; a service user needs full access to it. If every mailbox is refused, the permission Mail.Read is missing. It can take two hours to work.",
    ),
    'mailbox_not_in_cloud': (
        'Microsoft Graph cannot open this mailbox: it is inactive, deleted, without a licence, or on premises.',
        'Give it a licence again. If it lies on a server of yours, put it into an integration over EWS.',
    ),
    'mailbox_not_found': (
        'Exchange knows no mailbox with this address.',
        'Correct the address: it must be the primary SMTP address of a mailbox on this server.',
    ),
    'reinfer_endpoint_wrong': (
        'This API endpoint of Re:infer cannot be used.',
        'Correct it: it looks like https://cloud.uipath.com/organisation/tenant/reinfer_ with your own names.',
    ),
    'reinfer_certificate_untrusted': (
        'The certificate of Re:infer is not trusted, or is for another name.',
        'Correct the API endpoint, or name the authority that signed it in the file that SSL_CERT_FILE points to.',
    ),
    'reinfer_token_refused': (
        'Re:infer refused the API token.',
        'Create a new token on its Manage Account page and enter it at the destination. What stopped is started there.',
    ),
    'reinfer_forbidden': (
        'The API token may not write to this bucket.',
        'Give its user the permission to edit messages in the project of this bucket.',
    ),
    'bucket_not_found': (
        'Re:infer has no bucket of this project and name.',
        'Create it with the button beside it, or correct its name.',
    ),
    'bucket_name_wrong': (
        'No bucket can have this project and name.',
        'Correct them.',
    ),
    'project_not_found': (
        'Re:infer has no project of this name.',
        'Create the project in Re:infer, or correct its name.',
    ),
    'comment_quota_hit': (
        'The quota of the Re:infer tenant is reached.',
        'Raise it there. Then start the mailboxes that it stopped on the page of the destination.',
    ),
    'syncemail_consumption_limit_exceeded': (
        'The monthly limit of AI units that you set for this bucket is reached.',
        'Its mailboxes go on by themselves when the month ends, or as soon as you raise the limit.',
    ),
    'too_many_refused': (
        'Too many emails of this bucket were refused lately: it stopped to protect your mail.',
        'Nothing is lost, and nothing more is set aside. If this product was just upgraded, go back to the version before and tell its makers. If these emails are at fault themselves, press Resume: then they are set aside for a day.',
    ),
    'reinfer_refused': (
        'Re:infer refused a request that this product thought right.',
        'Look whether a newer version of this product is out.',
    ),
    'cursor_refused': (
        'Exchange no longer knows where we were in this folder.',
        'The folder is listed again by itself; that costs nothing.',
    ),
    'folder_gone': (
        'The folder was deleted.',
        'Nothing needs to be done.',
    ),
    'contended': (
        'Other syncs kept changing the same comments.',
        'It is tried again by itself.',
    ),
    'secret_unreadable': (
        'A stored secret cannot be decrypted with the keys of this installation.',
        'Add the key that sealed it to ENCRYPTION_KEYS, or enter the secret again.',
    ),
}
"""For each kind: what happened, and what to do."""


def parted(said: str) -> tuple[str, str]:
    """Return the kind and the detail of a stored error text. For an unknown error: a blank kind, and the whole text."""
    found = [kind for kind, (text, _) in TEXTS.items() if said.startswith(text)]
    if not found:
        return "", said
    kind = max(found, key=lambda one: len(TEXTS[one][0]))
    return kind, detail_of(kind, said)


def detail_of(kind: str, said: str) -> str:
    """Return the detail in the stored text of an error of this kind; the whole text if it is not of this kind."""
    text, remedy = TEXTS.get(kind, ("", ""))
    if not kind or not said.startswith(text) or not said.endswith(remedy):
        return said
    between = said[len(text) : len(said) - len(remedy)].strip()
    return between[1:-1] if between.startswith("(") and between.endswith(")") else between


def whole(kind: str, detail: str) -> str:
    """Return the whole text of an error, from which `parted` returns this kind and detail."""
    if kind not in TEXTS:
        return detail
    text, remedy = TEXTS[kind]
    return f"{text}{f' ({detail})' if detail else ''} {remedy}"
