"""Who may do what: roles, permissions by URL name, sign-in limits, body size limits, API tokens and the audit log.

Belongs here: the rules that decide whether a request is allowed, except the permissions of each API method and the rate
limit of the API (`api`); the rows of the audit log; and the time zone of the user.
Does not belong here: what an allowed request does (`operations`), pages (`web`) and the REST API (`api`).
"""
