"""
From a float ONNX model to one of 8-bit integers, in the form that every runtime reads: QDQ.

`prepare` makes a model plain (no batch norms behind convolutions, a new opset), `nodes` shows it to
the rules that choose what is quantized, `collect` runs it on the user's samples and keeps a
`histogram` of every tensor that matters, `methods` cuts ranges out of those, `write` writes the
model, and `accuracy` says what it cost. `quantizer` is all of that in order.
"""
