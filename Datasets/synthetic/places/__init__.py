"""Where people are: beds, rooms, furniture, and their surfaces."""
