"""What a pose, a camera and a sample are, and how they are read, written, made and drawn.

Map: ``skeletons`` (joint conventions) and ``geometry`` (matrices, boxes, cameras) know nothing
else; ``structures`` holds the values that travel; ``transforms`` change them; ``readers`` and
``writers`` speak the official layouts; ``synthetic`` makes data; ``drawing`` shows it; ``loaders``
feed training.
"""
