"""The version of the product, the only place where it is written."""

VERSION = "0.1.0"
"""By Semantic Versioning: `MAJOR.MINOR.PATCH`."""
