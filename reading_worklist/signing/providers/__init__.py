"""Where a person's signing key is kept, and how the person's PIN sets it to work.

A provider is a kind of place: sealed in our database, on a token, with a signing service. Which
one a person has stands in the row of the credential; nothing else differs between them.
"""
