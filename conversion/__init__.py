"""Conversion of an email into the fields of a comment: parsing, cleaning, identity, size limits, deadlines.

Belongs here: pure functions from bytes and values to values.
Does not: Django, the database, the network, or the decision whether an email is pushed (`sync.engine`).
"""
