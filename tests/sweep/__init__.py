"""The sweep: it checks that regular expressions and the conversion take at most linear time for any text."""
