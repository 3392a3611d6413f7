"""Pictures of poses: over an image, in space, and side by side. They take values, never paths."""
