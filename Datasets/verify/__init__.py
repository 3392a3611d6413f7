"""Is a folder the official layout of a data set? One file each; every fault in one pass."""
