"""ECG files over HTTP: sent by a site's machines and people, and given back as they came."""
