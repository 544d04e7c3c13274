"""What happens by itself when an ECG arrives: quality gate, measurement, hints, thumbnail.

A complete study asks for it (`service.TASKS`), a worker of its own does it (`worker`), and the
result is one row for each ECG and version of the method (`tables`). A reader's corrections are
kept beside it, never in its place.
"""
