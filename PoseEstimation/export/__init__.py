"""What leaves the house: weight sets with their index."""
