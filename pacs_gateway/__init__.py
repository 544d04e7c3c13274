"""Everything that speaks with a site's machines: receiving studies, and bringing results back."""
