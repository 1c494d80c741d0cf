"""The pages of the product: views, URLs, form pages and template tags.

Belongs here: code that turns a request into a page, the metrics and the health check. A view calls `operations` to change
data and, for most pages, `sync.reporting` to show data.
Does not belong here: rules of the product, SQL, and the REST API (`api`).
"""
