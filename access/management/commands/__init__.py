"""Management commands of access control."""
