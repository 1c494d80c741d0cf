"""Sign-in to Microsoft Entra, for Graph and for EWS in Exchange Online: the only package that uses MSAL.

`credentials` checks what an admin entered, `signin` requests and stores the token of one connection, and `refusals`
converts the error codes of the sign-in service to errors of `integrations.errors`.
"""

import logging
import warnings

# MSAL logs whole answers of the token endpoint where they lack an expected value.
logging.getLogger("msal").setLevel(logging.CRITICAL + 1)
# A service user is the choice of the admin; the page with that choice shows the recommendation of Microsoft.
warnings.filterwarnings("ignore", "This API has been deprecated for public client flows", DeprecationWarning)
