"""Management command that creates an API token and prints it. The token cannot be displayed again."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError

from access.models import ApiToken


class Command(BaseCommand):
    """Create an API token for a user."""

    help = (
        "Create an API token for a user. The token has the permissions of the user, is printed once, and expires after "
        "--days days."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments.

        Args:
            parser: The parser of the command.
        """
        parser.add_argument("user")
        parser.add_argument("name", help="name of the token on the pages")
        parser.add_argument("--days", type=int, default=365, help="lifetime in days")

    def handle(self, *args: Any, **options: Any) -> None:
        """Create the token and print it.

        Args:
            args: Not used.
            options: The parsed arguments.

        Raises:
            CommandError: The user does not exist, or the lifetime is out of range.
        """
        user = get_user_model().objects.filter(username=options["user"]).first()
        if user is None:
            raise CommandError(f"There is no user {options['user']}. Create one with: manage.py createsuperuser")
        if not 1 <= options["days"] <= 3650:
            raise CommandError("--days must be between 1 and 3650.")
        _, token = ApiToken.objects.create(user, expiry=timedelta(days=options["days"]), name=options["name"][:100])
        self.stdout.write(token)
