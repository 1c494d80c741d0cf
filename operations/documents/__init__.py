"""An integration with its mailboxes as one document: read, compared with what is stored, applied, written."""
