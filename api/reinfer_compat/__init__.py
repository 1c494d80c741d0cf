"""The vendor's own private API, as far as its command-line client needs it to manage integrations: a thin layer over the
same documents and actions. docs/api.md says which commands are covered."""
