"""The actor of tests that call operations directly."""

from operations.actor import Actor

ADMIN = Actor("admin")
