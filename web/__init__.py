"""The pages of the product: views, addresses, form pages and template tags.

Belongs here: from a request to a page. A view calls `operations` to change something and `sync.reporting` to show something.
Does not: rules of the product, SQL, and the REST API (`api`).
"""
