"""Bodies, their movements and postures, and what they wear."""
