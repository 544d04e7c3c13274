"""A gateway of several processes on one port.

One process (`supervisor`) accepts connections and hands each to the receiving
process that has the fewest; receiving processes and the filing process are its
children, forked from it, started again when they die, and they end when it does.
What passes between them stands in `control`.
"""
