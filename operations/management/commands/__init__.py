"""The management commands of the app `operations`."""
