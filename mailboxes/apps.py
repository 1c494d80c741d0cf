"""Django app configuration of the mailboxes."""

from django.apps import AppConfig


class MailboxesConfig(AppConfig):
    """The app `mailboxes`."""

    name = "mailboxes"
    verbose_name = "Mailboxes"
