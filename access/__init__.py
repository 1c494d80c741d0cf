"""Who may do what: roles, permissions by URL name, sign-in limits, body size limits, API tokens and the audit log.

Belongs here: everything that decides whether a request is allowed, and the rows of the audit log.
Does not belong here: what an allowed request does (`operations`), and its pages (`web`, `api`).
"""
