"""Hints that an ECG should be looked at sooner, by rules that are data with a version and a source.

A hint raises the priority and may open a suspected critical value. It never clears an ECG, never
lowers anything and never names a diagnosis: it says which rule is met, in which leads, by which
values. What could not be judged is said beside it, with the reason.
"""
