"""Actions on integrations, mailboxes and failed emails. Pages, the API and management commands call them.

Belongs here: the actions, dry runs, import and export of documents, the switch of the API, and the management commands.
Each action takes an `Actor`, changes the database before it returns, writes an audit entry and returns a sentence for the
admin. Only the connection tests, the dry runs, previews and the creation of a bucket call Exchange or Re:infer.
Does not belong here: HTTP, forms and pages (`web`), serializers (`api`).
"""
