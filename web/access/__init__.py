"""The log-in page and the page of the audit log."""
