"""The site's reports over FHIR R4, read by its own software with a token of the site."""
