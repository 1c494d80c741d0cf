"""The handlers of the API, one module for each resource. `HANDLERS` of a module maps operations to handlers."""
