"""A site's connection tried from the page of those who set sites up."""
