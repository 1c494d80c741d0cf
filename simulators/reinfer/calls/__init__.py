"""The calls of the API, those of one thing in one file; each file names its handlers by their operations."""
