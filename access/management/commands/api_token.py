"""Makes a token for the API, and prints it once."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError

from access.models import ApiToken


class Command(BaseCommand):
    help = "Make an API token for a user. It may do what the user may, is printed once, and ends after so many days."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("user")
        parser.add_argument("name", help="what it is for, as people will know it")
        parser.add_argument("--days", type=int, default=365)

    def handle(self, *args: Any, **options: Any) -> None:
        user = get_user_model().objects.filter(username=options["user"]).first()
        if user is None:
            raise CommandError(f"There is no user {options['user']}. Make one with: manage.py createsuperuser")
        if not 1 <= options["days"] <= 3650:
            raise CommandError("A token lasts between 1 and 3650 days.")
        _, token = ApiToken.objects.create(user, expiry=timedelta(days=options["days"]), name=options["name"][:100])
        self.stdout.write(token)
