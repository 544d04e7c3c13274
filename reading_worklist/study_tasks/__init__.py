"""Work on each complete study: asked for on completion, done under a lease, tried again, parked.

The row of a study is the truth. Whoever works on it holds a lease and writes
everything at the end in one transaction, so that a process that dies leaves
nothing but a lease that runs out. Each kind of work has a table of its own with
the columns of `tables.StudyWork`, and a `service.StudyTasks` over it.
"""
