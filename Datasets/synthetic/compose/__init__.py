"""Who and what is together in a picture."""
