"""What is looked at before a release: licences and known vulnerabilities of what we depend on."""
