"""What a site's machine may ask of us over DICOM: one module for each service."""
