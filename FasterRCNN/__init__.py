"""Stage one: detection of infants and adults with Faster R-CNN."""
