"""The management commands of the product."""
