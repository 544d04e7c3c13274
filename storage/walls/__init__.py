"""The second wall between sites: PostgreSQL's row-level security, behind the conditions of queries.

The first wall is the code's own: every query of a person or machine has its sites in its
conditions. Behind it each transaction of somebody who sees a few sites works in a database role
that sees rows of those sites alone, whatever the query says, and of none when nobody said whose
transaction it is. `reach` says whose it is, `rules` which table belongs to whom, `building` makes
roles, grants and policies of that.
"""

from storage.walls.reach import Reach, Standing, beyond, no_sites_yet, reach, see, within

__all__ = ("Reach", "Standing", "beyond", "no_sites_yet", "reach", "see", "within")
