"""What people at the centre and at the sites see: worklist, viewer, reports, portal."""
