"""The DICOM index: patients, studies, series and instances of every site, and what was quarantined."""
