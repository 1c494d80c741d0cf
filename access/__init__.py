"""Who may do what: roles as groups, and one table of addresses and the permission that each needs."""
