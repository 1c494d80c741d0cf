"""Pages of mailboxes and buckets."""
