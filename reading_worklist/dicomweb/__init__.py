"""DICOMweb (PS3.18 §10): search (QIDO-RS) and retrieve (WADO-RS) of what the index knows.

Datasets are read straight from the stored bytes, as far as they are needed, and
never rewritten: an instance leaves exactly as it came.
"""
