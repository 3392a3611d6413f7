"""Facts of data sets' layouts that their readers, writers and verifiers share."""
