"""What people and programs do to integrations, mailboxes and failed emails, from a page, the API or a command.

Belongs here: the actions, dry runs, import and export of documents, the switch of the API, and the management commands.
Each action takes an `Actor`, does its work at once, writes the audit log and returns a sentence for the admin. Only the
connection tests, the dry runs, previews and the creation of a bucket call Exchange or Re:infer.
Does not belong here: HTTP, forms and pages (`web`), serializers (`api`).
"""
