"""The audit trail in the words of DICOM PS3.15 A.5 and IHE ATNA, as a file or over syslog."""
