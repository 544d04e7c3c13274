"""The report as a DICOM structured report, beside the PDF: what other machines read of it.

`content_items` are the parts of any tree, `concepts` the codes, `ecg_tree` (TID 3700) and
`text_tree` (TID 2000) the two kinds of report, `instance` the object around a tree, `filing` the
way into the study.
"""
