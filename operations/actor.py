"""The person or command on whose behalf an operation runs."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest

from access import history


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts, as the audit log names people and commands.

    Attributes:
        name: A user name, or the account of the operating system and the command. At most 150 characters.
    """

    name: str

    @classmethod
    def of_request(cls, request: HttpRequest) -> Actor:
        """Return the authenticated user of a request, of a page or of the API."""
        return cls(history.user_name(request.user))

    @classmethod
    def of_command(cls, command: str) -> Actor:
        """Return the account that runs a management command.

        Args:
            command: The name of the command of `manage.py`.

        Returns:
            The actor.
        """
        return cls(history.command_name(command))
