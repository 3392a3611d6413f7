"""Which people and things are together in one picture, and its labels."""
