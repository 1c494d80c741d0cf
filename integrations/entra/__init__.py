"""Signing in to Microsoft Entra, for Graph and for EWS in Exchange Online: the only package that knows MSAL.

`credentials` are what an admin enters; `signin` keeps one token for a connection and asks for the next; `refusals` say what the
sign-in service means.
"""

import logging
import warnings

# MSAL logs whole answers of the token endpoint where they are not as it likes.
logging.getLogger("msal").setLevel(logging.CRITICAL + 1)
# A service user is the admin's choice; the page that offers it says what Microsoft thinks of it.
warnings.filterwarnings("ignore", "This API has been deprecated for public client flows", DeprecationWarning)
