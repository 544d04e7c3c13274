"""The electrocardiogram: read from its file, and drawn in true millimetres.

`waveform` is the one model, `dicom_reader` fills it, `drawing` turns it into
the SVG that both the screen and the report show, `service` and `routes` hand
it out. Inside this folder a voltage is always in microvolts, a time in seconds
and a length in millimetres.
"""
