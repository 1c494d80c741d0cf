"""The sweep checks with many texts that regular expressions and the conversion take at most linear time."""
