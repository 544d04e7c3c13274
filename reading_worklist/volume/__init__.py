"""Looking at each complete volume before a doctor does: is every slice there, and in its place?

Headers tell where slices are (`planes`, `stacks`, `spacing`), pixels whether they show anything
(`content`), and a montage shows a series at a glance. `analysis` does it by the clock of the relay,
in a process of its own.
"""
