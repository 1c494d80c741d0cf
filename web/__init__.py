"""The pages of the product: views, URLs, form pages and template tags.

Belongs here: code that turns a request into a page. A view calls `operations` to change data and `sync.reporting` to
show data.
Does not belong here: rules of the product, SQL, and the REST API (`api`).
"""
