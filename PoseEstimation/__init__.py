"""Stage two and the whole: 2D heatmaps, 3D lifting, the pipeline from frame to ``PoseResult``, the CLI."""
