"""What people and programs may do to integrations, mailboxes and failed emails, whatever the entry point.

Belongs here: actions, dry runs, import and export of documents, the switch of the API, and the management commands.
Each action takes an actor and records what was done. Does not: HTTP, forms and pages (`web`), serializers (`api`).
"""
