"""The list of what is to be read: filters, pages, counts, saved views, and the wall board."""
