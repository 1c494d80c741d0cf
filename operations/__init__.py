"""Actions on integrations, mailboxes, destinations, buckets, failed emails, API tokens and webhooks.

Pages, the API and management commands call these actions.
Belongs here: the actions, dry runs, import and export of documents, the switch of the API, and the management commands.
Each action takes an `Actor`, changes the database before it returns, and writes an audit entry. Most actions return a
sentence for the admin; actions with a form return whether the form was valid. Only these parts call Exchange or Re:infer:
connection tests, dry runs, previews, the check before a switch of the API, the creation of a bucket, and the commands
`doctor` and `verify`.
Does not belong here: HTTP, forms and pages (`web`), serializers (`api`).
"""
