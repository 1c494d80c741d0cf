"""Cleaning: extract the text that the author wrote from the text that the mail program sent. Pure.

The rules are conservative: a quote or a signature is cut only if it is certain, and never if nothing would be left. A
comment is stored permanently, so a wrong cut costs more than a long text. Every rule has a name and test cases.
"""

from conversion.cleaning.text import CleanText, Cut, clean

__all__ = ["CleanText", "Cut", "clean"]
