"""The report: draft, submission, signed version, and the printed document.

The submission carries the writer's signature, the version also the reviewer's.
"""
