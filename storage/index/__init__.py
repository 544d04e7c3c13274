"""The DICOM index: patients, studies, series, instances, and what was quarantined."""
