"""From linear RGB or temperatures to pictures: camera, near and long-wave infrared."""
