"""The DICOM objects of a report in the study it belongs to: page, structured report, key objects.

They are instances of the archive like any other, found by queries and given to whoever may have
the study. What is theirs alone: their names follow from the report version (`names`), they are not
counted as sent by the site, and those of a version that does not stand any more are no instances
any more (`service`); their bytes are kept and can be read by who audits (`queries`).
"""
