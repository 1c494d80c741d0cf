"""An integration with its mailboxes as one document: read it, compare it with the stored state, apply it, write it."""
