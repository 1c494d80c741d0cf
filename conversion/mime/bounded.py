"""The standard library's `compat32` email policy with limits on the length of headers."""

from __future__ import annotations

from email.policy import Compat32

_MAX_CONTENT_CHARS, MOST = 8 * 1024, 1024 * 1024
"""Maximum number of characters of a Content-* header (first value) and of any other header (second value). Content-*
headers have a lower limit: the standard library parses them again at every access, in time quadratic in their length
and in the number of their parameters."""
_MAX_PARAMETERS = 200
"""Maximum number of pieces between semicolons of a Content-* header: its value and its parameters. An encoded
file name of 256 characters, continued line by line (RFC 2231), takes 40 parameters."""


class BoundedHeaders(Compat32):
    """Cuts too long headers during parsing. The limits are higher than the lengths that real programs write."""

    def header_source_parse(self, sourcelines: list[str]) -> tuple[str, str]:
        """Parse and cut one header.

        Args:
            sourcelines: The lines of the header.

        Returns:
            Name and value of the header.
        """
        name, value = super().header_source_parse(sourcelines)
        if not name.lower().startswith("content-"):
            return name, value[:MOST]
        return name, ";".join(value[:_MAX_CONTENT_CHARS].split(";", _MAX_PARAMETERS)[:_MAX_PARAMETERS])
