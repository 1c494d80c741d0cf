"""Notifications by webhook and email to administrators, sent from a transactional outbox.

Belongs here: the models of notifications and webhooks, and the delivery with retries.
Does not belong here: the code that detects an event and announces it (`sync.jobs`).
"""
