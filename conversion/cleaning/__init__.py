"""Cleaning: from what a mail client sent to what the person wrote. Pure.

Cautious: a quote or a signature is cut only where it is beyond doubt, and never so that nothing would be left. What a comment
once said stays for ever, so a wrong cut costs more than a long text. Every rule has a name, and cases in the tests.
"""

from conversion.cleaning.text import CleanText, Cut, clean

__all__ = ["CleanText", "Cut", "clean"]
