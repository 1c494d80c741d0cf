"""The overview, sync runs, failed emails, the preview, and the metrics."""
