"""The electrocardiogram for those who read it: drawn in true millimetres.

`drawing` turns a record (`storage.ecg`) into the SVG that both the screen and the
report show, `service` and `routes` hand it out. Inside this folder a voltage is
always in microvolts, a time in seconds and a length in millimetres.
"""
