"""What was issued to a site, in one order: who asks what is new misses nothing.

A sequence of the database would not do: a transaction that draws 7 may be committed after one that
drew 8, and who has seen 8 by then never asks for 7. Here a position is drawn under a lock of the
site, which is held until the transaction is committed. The time beside it grows with it.
"""
