"""The serializers of the API: they validate requests, serialize responses and define the OpenAPI schema.

If Re:infer's API has a key for a value, the serializers use the same key.
"""
