"""The pages of integrations and destinations, and how every page of ours answers."""
