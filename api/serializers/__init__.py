"""The serializers of the API: they check requests, write responses and define the schema.

Keys have the names that Re:infer's API uses, where it has one.
"""
