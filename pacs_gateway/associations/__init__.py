"""DICOM associations: who may open one, what travels on it, how its bytes reach the spool."""
