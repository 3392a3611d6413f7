"""From frames to results: ``predictor`` holds the networks, ``predict`` runs it over inputs."""
