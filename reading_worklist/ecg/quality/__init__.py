"""Whether an ECG was recorded well enough to be measured, told to the technician at once.

`signal` looks at each lead's samples, `electrodes` at what the measured beat says of the
electrodes' places, `findings` holds what both say. A lead that fails is not measured.
"""
