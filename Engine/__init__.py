"""What knows no pose: errors, files."""
