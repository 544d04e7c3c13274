"""What site and centre write to each other about one exam, from its order to its report."""
