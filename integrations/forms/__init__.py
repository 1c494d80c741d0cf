"""The forms of integrations and destinations, and the base class of forms that change stored rows."""

from integrations.forms.changes import ChangedOnlyForm
from integrations.forms.destination import DestinationForm
from integrations.forms.integration import IntegrationForm

__all__ = ["ChangedOnlyForm", "DestinationForm", "IntegrationForm"]
