"""The overview, sync runs, failed emails, newly wanted emails, the error catalogue, the preview, and the metrics."""
