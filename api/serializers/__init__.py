"""The serializers of the API: they validate requests, serialize responses and define the OpenAPI schema.

If Re:infer's API has a key for a value, the same key is used here.
"""
