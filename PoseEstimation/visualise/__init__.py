"""Pictures of results: ``overlay`` over photos and videos, ``figure3d`` of the pose in space."""
