"""Errors of this product: of its database, its stored secrets, its code, or the process and machine of a worker."""

from __future__ import annotations

from integrations.errors.base import Evidence, IntegrationError, Refused, Transient


class DatabaseFailed(Transient):
    """The database of this product was unreachable, full or read-only during a sync. No adapter raises it."""

    kind = "database_failed"
    ours = True
    text = "PostgreSQL did not answer, or refused to write."
    remedy = (
        "It is retried automatically. If it persists, check the log, the disk and the connection limit of PostgreSQL."
    )


class InternalFault(Transient):
    """An unforeseen exception in this product. No adapter raises it."""

    kind = "internal_error"
    ours = True
    text = "An unexpected error occurred in this product."
    remedy = "It is retried automatically; please report it, with the line `sync.broke` of the worker's log."


class Contended(Transient):
    """Another sync changed the same ledger entries during each attempt."""

    kind = "contended"
    ours = True
    text = "Other syncs kept changing the same comments."
    remedy = "It is retried automatically."


class SignInPaused(Transient):
    """The sign-in budget of the account is used up; no request was sent: see `sync.jobs.sign_in_budget`."""

    kind = "sign_in_paused"
    ours = True
    text = "This password or secret was refused recently, and is not sent again yet, so that the account is not locked out."
    remedy = "Enter another one, or wait until the time that is shown."


class SecretElsewhere(Refused):
    """A stored secret would have been sent to another place than the one it was entered for."""

    kind = "secret_elsewhere"
    evidence = Evidence.SETTINGS
    text = "The stored secret was entered for another server, tenant, kind of sign-in, proxy or TLS setting, and is not sent."
    remedy = "Press Edit, enter the secret again and save. Then press Start."


class TokenElsewhere(SecretElsewhere):
    """The stored API token of Re:infer would have been sent to another endpoint than the one it was entered for."""

    kind = "reinfer_token_elsewhere"
    evidence = Evidence.DESTINATION
    text = "The stored API token was entered for another API endpoint, and is not sent."
    remedy = "Open the destination, press Edit, enter the token again and save."


# ---- one process --------------------------------------------------------------------------------------------------


class ProcessFault(IntegrationError):
    """A fault of this process, its settings or its machine.

    Another worker may succeed, so the error is not recorded against the connection, mailbox or bucket that was in use.
    """

    evidence = Evidence.PROCESS


class SecretUnreadable(ProcessFault):
    """No key of this process decrypts a stored secret."""

    kind = "secret_unreadable"
    ours = True
    text = "A stored secret cannot be decrypted with the keys of this installation."
    remedy = "Add the key that encrypted it to ENCRYPTION_KEYS, or enter the secret again."


class OutOfResources(ProcessFault):
    """The process has no free file descriptors, or its disk has no free space or no quota left."""

    ours = True
    kind = "worker_out_of_resources"
    text = "A worker has no file descriptors or no disk space left."
    remedy = "Raise the limits of the worker, or free space on its disk. Other workers continue."


class OutOfMemory(ProcessFault):
    """An allocation of memory failed, possibly because of one very large email."""

    ours = True
    kind = "worker_out_of_memory"
    may_be_item = True
    text = "A worker has no memory left."
    remedy = "Raise its memory limit, or lower WORKER_CONCURRENCY or FETCH_BYTES. Other workers continue."


class InstallationIncomplete(ProcessFault):
    """A library or a file of the installation is missing on the machine of the worker."""

    ours = True
    kind = "worker_incomplete"
    text = "A worker lacks a library or a file that it needs."
    remedy = "Install this worker again, or mount the file that is missing. Other workers continue."
