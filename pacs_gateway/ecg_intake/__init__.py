"""ECG files of every clinic: told by their content, read into one model, filed as DICOM.

`formats` tells what a file is, `reading` makes a record of it, `conversion` the object that is
filed. Files come from strangers' devices: they are read in a process of their own, `workshop`,
which may be ended at any time. `engine` takes what was uploaded through all that, `folders` takes
what a site's software leaves in a directory.
"""
