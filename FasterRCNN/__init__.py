"""Stage one: find the infant with Faster R-CNN; also holds the trainer that both stages use."""
