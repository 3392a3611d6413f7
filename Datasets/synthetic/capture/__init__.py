"""What a camera does to light, and what infrared cameras see."""
