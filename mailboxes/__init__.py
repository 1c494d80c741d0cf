"""Mailboxes and buckets: which mail is wanted, and where its comments go.

Belongs here: their models and forms, and the filter rules as pure functions.
Does not belong here: reading mail (`integrations`), and the state of a sync (`sync`).
"""
