"""Reading MIME: bytes that anybody may have made, into headers, text and the list of attachments. Pure."""
