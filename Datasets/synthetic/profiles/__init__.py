"""What is generated: one file per kind of data set."""
