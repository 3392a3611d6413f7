"""Writers of official layouts, one file per data set: generated and users' own data take any of them."""
