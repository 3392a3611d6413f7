"""Writers of official layouts, one file per data set, for generated and users' own data."""
