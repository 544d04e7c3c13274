"""Reports as plain JSON and PDF, fetched by software of a site that lets nobody in."""
