"""Connections to Exchange and Re:infer: models, forms, errors, and adapters behind ports.

Belongs here: protocols (`ews`, `graph`, `reinfer`), sign-in (`entra`), the network, and encrypted credentials.
Does not belong here: which mail is wanted (`mailboxes`), and what a sync does with it (`sync`).
"""
