"""Cells with a name, written in the language of `corteval_recurrent.expressions`."""

from __future__ import annotations

from collections.abc import Mapping

#: Long short-term memory; in its order, weights are those of `torch.nn.LSTMCell`: f, i, g, o.
LSTM = """
f = Sigmoid(Add(MM(x), MM(h_prev)))
i = Sigmoid(Add(MM(x), MM(h_prev)))
g = Tanh(Add(MM(x), MM(h_prev)))
c = Add(Mult(f, c_prev), Mult(i, g))
o = Sigmoid(Add(MM(x), MM(h_prev)))
h = Mult(o, Tanh(c))
"""

#: Gated recurrent unit as `torch.nn.GRUCell`: the reset gate is applied to MM(h_prev).
GRU = """
r = Sigmoid(Add(MM(x), MM(h_prev)))
n = Tanh(Add(MM(x), Mult(r, MM(h_prev))))
h = Gate3(h_prev, n, Add(MM(x), MM(h_prev)))
"""

#: Elman's network.
ELMAN = "h = Tanh(Add(MM(x), MM(h_prev)))"

#: BC3 of Schrimpf, Merity, Bradbury & Socher (2017) as it is remembered, not as it was verified:
#: f = σ(Wᶠx + Uᶠh), z = Vᶻ(Xᶻx ∘ Uᶻh) + Wᶻx, c = tanh(f ∘ Wᶜx + (1 - f) ∘ z),
#: o = Wᵒx + LN(Uᵒh), h = σ(c) ∘ o. Source: spec ``models`` section 8, marked as from memory.
BC3 = """
z = Add(MM(Mult(MM(x), MM(h_prev))), MM(x))
c = Tanh(Gate3(MM(x), z, Add(MM(x), MM(h_prev))))
o = Add(MM(x), LayerNorm(MM(h_prev)))
h = Mult(Sigmoid(c), o)
"""

#: By name.
CELLS: Mapping[str, str] = {"lstm": LSTM, "gru": GRU, "elman": ELMAN, "bc3": BC3}

#: What must be said with every score of a cell.
NOTES: Mapping[str, str] = {
    "bc3": "BC3 is written from memory of arXiv 1712.07316; nobody compared it with the paper"
}
