"""The electrocardiogram as it is kept: one model, and the DICOM waveform objects it is read from.

`waveform` is the model that every source fills and every user reads, `leads` the names and
codes of the leads (PS3.16 CID 3001), `dicom_reader` reads the waveform IODs (PS3.3 A.34). Here
a voltage is in microvolts and a time in seconds.
"""
