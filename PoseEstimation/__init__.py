"""Stage two and the whole: heatmaps, lifting, the pipeline from frame to result, the CLI."""
