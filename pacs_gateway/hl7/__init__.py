"""HL7 v2: orders of the sites' systems, over MLLP."""
