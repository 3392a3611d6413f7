"""From frames to results: ``pipeline`` holds the networks, ``predict`` runs it over inputs."""
