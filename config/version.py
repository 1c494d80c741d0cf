"""The version of the product. No other file contains it."""

VERSION = "0.1.0"
"""`MAJOR.MINOR.PATCH` according to Semantic Versioning."""
