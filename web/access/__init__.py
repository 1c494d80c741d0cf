"""Pages of people: signing in, and the audit log."""
