"""What knows no pose: files, settings, provenance, networks by name, backends, the loop."""
