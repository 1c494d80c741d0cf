"""Read, compare, apply and write documents.

A document describes one integration with all its mailboxes, or a single mailbox.
"""
