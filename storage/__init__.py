"""What the centre keeps, and nothing about why.

Identifiers, the object store, the DICOM index, the registry, message
contracts, the transactional outbox, deliveries, the audit trail, the database
and its migrations. Nothing here imports another room of the house.
"""
