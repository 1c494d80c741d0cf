"""Conversion of an email into the fields of a comment: parsing, cleaning, identity, limits, deadlines.

Except for `conversion.deadline`, this package contains pure functions from bytes and values to values. It does not use
Django, the database or the network. The decision whether an email is pushed belongs to `sync.engine`.
"""
