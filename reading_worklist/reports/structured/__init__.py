"""The report as DICOM objects in its study: what other machines read of it.

`content_items` are the parts of any tree, `concepts` the codes, `ecg_tree` (TID 3700), `text_tree`
(TID 2000) and `key_objects` (TID 2010) the kinds of document, `instance` the object around a tree,
`filing` the way of page, words and key images into the study.
"""
