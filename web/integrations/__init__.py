"""Pages of integrations and destinations."""
