"""What goes in and out, as serializers: they check what comes, write what goes, and are what the schema tells.

Names are the vendor's where the vendor has one.
"""
