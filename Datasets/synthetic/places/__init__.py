"""The surroundings of people: rooms, furniture, beds and their surfaces, cameras and lights."""
