"""Sign-in to Microsoft Entra, for Graph and for EWS in Exchange Online: the only package that uses MSAL.

`credentials` checks what an admin entered, `signin` requests and stores the token of one connection, and `error_codes`
converts the error codes of the sign-in service to errors of `integrations.errors`.
"""

import logging
import warnings

# If an answer of the token endpoint lacks an expected value, MSAL logs the whole answer.
logging.getLogger("msal").setLevel(logging.CRITICAL + 1)
# MSAL warns about a sign-in with a password. The page on which an admin chooses the sign-in recommends a certificate instead.
warnings.filterwarnings("ignore", "This API has been deprecated for public client flows", DeprecationWarning)
