"""Notifications by webhook and email to administrators, sent from a transactional outbox.

Belongs here: the models of notifications and webhooks, and their delivery with retries.
Does not belong here: the decision that something is worth a notification (`sync.jobs`).
"""
