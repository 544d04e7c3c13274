"""Our own measurement of an ECG: beats, one median beat, intervals, axes, ST levels, rhythm.

`results` holds what a measurement says, `measure` makes it. Every value is a number with its
unit or says why there is none: "not measured" is better than wrong. What the device measured
stays beside it in the record and is never replaced.
"""
