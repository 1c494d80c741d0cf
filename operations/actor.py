"""The person or command on whose behalf an operation runs."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest

from access import history


@dataclass(frozen=True, slots=True)
class Actor:
    """The user or command that runs an operation. The audit log shows `name`.

    Attributes:
        name: A user name; for a command, the operating system account and the command. At most 150 characters.
    """

    name: str

    @classmethod
    def of_request(cls, request: HttpRequest) -> Actor:
        """Return the actor for the authenticated user of a request to a page or to the API."""
        return cls(history.user_name(request.user))

    @classmethod
    def of_command(cls, command: str) -> Actor:
        """Return the actor for the operating system account that runs a management command.

        Args:
            command: The name of the management command.

        Returns:
            The actor.
        """
        return cls(history.command_name(command))
