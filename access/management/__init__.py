"""Management of access control from the command line."""
