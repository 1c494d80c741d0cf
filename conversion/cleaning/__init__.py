"""Cleaning: extract the text that the author wrote from the text that the mail program sent. Pure.

The rules are conservative. A quote or a signature is cut only if it is recognised with certainty, and only if some text
remains. The text of a comment can never be corrected, so a wrong cut is worse than a text that is too long. Every rule
has a name and test cases.
"""

from conversion.cleaning.text import CleanText, Cut, clean

__all__ = ["CleanText", "Cut", "clean"]
