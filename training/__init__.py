"""How the second reader is taught: labelled passages in, `extractors/second/` out (`make reader`).

rows (what it is shown) -> network (a small transformer, fine-tuned) -> export (int8 ONNX).
Runs in an environment of its own (requirements-training.lock); VisaWatch needs none of it.
"""
