"""Mailboxes and buckets: which mail is wanted, and where its comments go.

Belongs here: the models of both, and the filter rules as pure functions.
Does not belong here: reading mail (`integrations`), and the state of a sync (`sync`).
"""
