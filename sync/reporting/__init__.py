"""Read-only queries and texts for pages, the API and monitoring: states, counts, alerts, progress, metrics, estimates.

Belongs here: read-only queries and their wording, shared by pages, the API and commands.
Does not: any write (`operations`), HTML pages (`web`), serializers (`api`).
"""
