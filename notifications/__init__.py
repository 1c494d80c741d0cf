"""Notifications by webhook and email to administrators, sent from a transactional outbox.

This package contains the models of notifications and webhooks, and the delivery with retries. The code that detects the
events is in `sync.jobs` and `sync.reporting`.
"""
