"""Key images: the images of an exam that its doctor chooses for the report."""
