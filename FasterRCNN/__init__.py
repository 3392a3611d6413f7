"""Stage one: find the infant in a frame with Faster R-CNN; also holds the trainer both stages use."""
