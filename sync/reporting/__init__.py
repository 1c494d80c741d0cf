"""What people and monitoring read: states, counts, problems, progress, metrics, estimates.

Belongs here: read-only queries and their wording, used by pages, the API and commands alike.
Does not: any write (`operations`), HTML pages (`web`), serializers (`api`).
"""
