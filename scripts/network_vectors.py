#!/usr/bin/env python3
"""Writes `tests/vectors/nn/encoders.safetensors`: every encoder's vector and its gradients, by PyTorch.

usage: scripts/network_vectors.py [file]        (needs torch and safetensors; the committed file is of PyTorch 2.13.0 on a CPU)

Each case has a name and, in the file's header under that name, the encoder as a strategy file writes it. Its tensors:

    NAME/w.WEIGHT      weights under our names (PyTorch's, where PyTorch has the module)
    NAME/input.S       windows `[B, T, F]` of scale S; a short one lies at its end, zeros before it
    NAME/lengths       valid steps `[B]`, where windows are short
    NAME/vector        what the encoder puts out, `[B, V]`
    NAME/direction     random numbers `[B, V]`; gradients are those of `sum(vector * direction)`
    NAME/g.WEIGHT      gradients, and `g.input.0` for the windows

Modules are PyTorch's wherever it has them (GRU, LSTM, Conv1d, TransformerEncoder, packed sequences); zoneout and layer
normalisation inside a cell are written out from their papers. Everything is computed in double precision and stored in single.
"""

import json
import sys

import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

B, T = 3, 6


class Case:
    """One encoder: draws inputs and weights, keeps them by name."""

    def __init__(self, seed, features=(3,), steps=(T,)):
        torch.manual_seed(seed)
        self.inputs = [torch.randn(B, t, f, dtype=torch.double) for t, f in zip(steps, features)]
        self.weights = {}
        self.lengths = None

    def weight(self, name, *shape, low=-0.6, high=0.6):
        self.weights[name] = torch.empty(*shape, dtype=torch.double).uniform_(low, high).requires_grad_()
        return self.weights[name]

    def module(self, module, prefix):
        """Redraws a module's parameters and keeps them under `prefix.`."""
        module = module.double().eval()
        for name, parameter in module.named_parameters():
            gain = "norm" in name and name.endswith("weight")
            nn.init.uniform_(parameter, 0.5, 1.5) if gain else nn.init.uniform_(parameter, -0.6, 0.6)
            self.weights[f"{prefix}.{name}"] = parameter
        return module

    def attention(self, width, prefix="attention"):
        linear = self.module(nn.Linear(width, width), prefix)
        score = self.weight(f"{prefix}.score", 1, width)

        def pool(states, valid=None):
            scores = functional.linear(torch.tanh(linear(states)), score)
            if valid is not None:
                scores = scores.masked_fill(~valid.unsqueeze(2), -torch.inf)
            return (states * torch.softmax(scores, 1)).sum(1)

        return pool


def stack(hidden, layers=1, **more):
    return {"hidden_size": hidden, "layers": layers, "dropout": 0.0, **more}


def gru_mean():
    case = Case(1)
    gru = case.module(nn.GRU(3, 4, 2, batch_first=True), "gru")
    return case, {"gru": stack(4, 2, pooling="mean")}, lambda x: gru(x[0])[0].mean(1)


def gru_bidirectional_short():
    """Windows of 6, 2 and 4 steps, packed."""
    case = Case(2)
    case.lengths = torch.tensor([6, 2, 4])
    gru = case.module(nn.GRU(3, 4, 2, batch_first=True, bidirectional=True), "gru")

    def run(x):
        _, last = gru(packed(x[0], case.lengths))
        return torch.cat([last[-2], last[-1]], 1)

    return case, {"gru": stack(4, 2, bidirectional=True)}, run


def gru_attention_short():
    case = Case(3)
    case.lengths = torch.tensor([5, 6, 1])
    gru = case.module(nn.GRU(3, 4, 1, batch_first=True, bidirectional=True), "gru")
    pool = case.attention(8)

    def run(x):
        states, _ = pad_packed_sequence(gru(packed(x[0], case.lengths))[0], batch_first=True)
        return pool(states, torch.arange(T) < case.lengths.unsqueeze(1))

    return case, {"gru": stack(4, bidirectional=True, pooling="attention")}, run


def lstm_mean_short():
    case = Case(4)
    case.lengths = torch.tensor([3, 6, 4])
    lstm = case.module(nn.LSTM(3, 4, 2, batch_first=True, bidirectional=True), "lstm")

    def run(x):
        states, _ = pad_packed_sequence(lstm(packed(x[0], case.lengths))[0], batch_first=True)
        return states.sum(1) / case.lengths.unsqueeze(1)

    return case, {"lstm": stack(4, 2, bidirectional=True, pooling="mean")}, run


def packed(windows, lengths):
    """Windows at the end of their steps, as a packed sequence."""
    left = torch.stack([torch.cat([w[T - n :], w[: T - n]]) for w, n in zip(windows, lengths)])
    return pack_padded_sequence(left, lengths, batch_first=True, enforce_sorted=False)


def gru_zoneout():
    """Krueger et al. 2017, in evaluation: the expectation of keeping the last state."""
    case = Case(5)
    gru = case.module(nn.GRU(3, 4, 1), "gru")
    cell = nn.GRUCell(3, 4).double()

    def run(x):
        h = torch.zeros(B, 4, dtype=torch.double)
        for t in range(T):
            h = 0.3 * h + 0.7 * torch.func.functional_call(cell, cell_weights(gru), (x[0][:, t], h))
        return h

    return case, {"gru": stack(4, zoneout=0.3)}, run


def cell_weights(module):
    return {name.removesuffix("_l0"): value for name, value in module.named_parameters()}


def normal_gates(product, gain, gates):
    """Ba et al. 2016: each gate's values have mean 0 and variance 1 before gain and bias."""
    parts = product.chunk(gates, 1)
    size = parts[0].shape[1:]
    return torch.cat([functional.layer_norm(part, size, eps=1e-5) for part in parts], 1) * gain


def gru_layer_norm():
    case = Case(6)
    w = {k: case.weight(f"gru.{k}_l0", 12, n) for k, n in [("weight_ih", 3), ("weight_hh", 4)]}
    w |= {k: case.weight(f"gru.{k}_l0", 12) for k in ["bias_ih", "bias_hh"]}
    w |= {k: case.weight(f"gru.{k}_l0", 12, low=0.5, high=1.5) for k in ["norm_ih", "norm_hh"]}

    def run(x):
        h = torch.zeros(B, 4, dtype=torch.double)
        for t in range(T):
            i = normal_gates(x[0][:, t] @ w["weight_ih"].T, w["norm_ih"], 3) + w["bias_ih"]
            s = normal_gates(h @ w["weight_hh"].T, w["norm_hh"], 3) + w["bias_hh"]
            (ir, iz, im), (sr, sz, sm) = i.chunk(3, 1), s.chunk(3, 1)
            r, z = torch.sigmoid(ir + sr), torch.sigmoid(iz + sz)
            h = (1 - z) * torch.tanh(im + r * sm) + z * h
        return h

    return case, {"gru": stack(4, layer_norm=True)}, run


def lstm_layer_norm_zoneout():
    case = Case(7)
    w = {k: case.weight(f"lstm.{k}_l0", 16, n) for k, n in [("weight_ih", 3), ("weight_hh", 4)]}
    w |= {k: case.weight(f"lstm.{k}_l0", 16) for k in ["bias_ih", "bias_hh"]}
    w |= {k: case.weight(f"lstm.{k}_l0", 16, low=0.5, high=1.5) for k in ["norm_ih", "norm_hh"]}

    def run(x):
        h = c = torch.zeros(B, 4, dtype=torch.double)
        for t in range(T):
            product = normal_gates(x[0][:, t] @ w["weight_ih"].T, w["norm_ih"], 4) + w["bias_ih"]
            product = product + normal_gates(h @ w["weight_hh"].T, w["norm_hh"], 4) + w["bias_hh"]
            i, f, g, o = product.chunk(4, 1)
            c_next = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
            h_next = torch.sigmoid(o) * torch.tanh(c_next)
            c, h = 0.2 * c + 0.8 * c_next, 0.2 * h + 0.8 * h_next
        return h

    return case, {"lstm": stack(4, layer_norm=True, zoneout=0.2)}, run


def multi_scale_attention():
    case = Case(8, features=(3, 2), steps=(T, 4))
    grus, pools = [], []
    for scale, features in enumerate((3, 2)):
        grus.append(case.module(nn.GRU(features, 4, 1, batch_first=True), f"gru.{scale}"))
        pools.append(case.attention(4, f"attention.{scale}"))
    fusion = case.module(nn.Linear(8, 4), "fusion")

    def run(x):
        vectors = [pool(gru(own)[0]) for own, gru, pool in zip(x, grus, pools)]
        return torch.relu(fusion(torch.cat(vectors, 1)))

    return case, {"multi_scale_gru": stack(4, pooling="attention")}, run


def cnn_gru():
    case = Case(9)
    convolutions = [
        case.module(nn.Conv1d(inputs, 5, 3, dilation=dilation), f"cnn.{layer}")
        for layer, (inputs, dilation) in enumerate([(3, 1), (5, 2)])
    ]
    gru = case.module(nn.GRU(5, 4, 1, batch_first=True), "gru")

    def run(x):
        values = x[0].transpose(1, 2)
        for convolution in convolutions:
            values = torch.relu(convolution(functional.pad(values, (2 * convolution.dilation[0], 0))))
        return gru(values.transpose(1, 2))[1][-1]

    spec = {"channels": 5, "kernel_size": 3, "convolutions": 2, "dilation": 2, "gru": stack(4)}
    return case, {"cnn_gru": spec}, run


def transformer_layers(case, size):
    layer = nn.TransformerEncoderLayer(size, 2, 7, dropout=0.0, batch_first=True, norm_first=True)
    layers = nn.TransformerEncoder(layer, 2, norm=nn.LayerNorm(size), enable_nested_tensor=False)
    layers = case.module(layers, "transformer")
    later = torch.triu(torch.ones(T, T, dtype=torch.bool), 1)
    return lambda values: layers(values, mask=later)


def transformer():
    case = Case(10)
    projection = case.module(nn.Linear(3, 6), "projection")
    layers = transformer_layers(case, 6)
    place = torch.arange(T, dtype=torch.double).unsqueeze(1)
    rate = 10000.0 ** (-torch.arange(0, 6, 2, dtype=torch.double) / 6)
    places = torch.zeros(T, 6, dtype=torch.double)
    places[:, 0::2], places[:, 1::2] = torch.sin(place * rate), torch.cos(place * rate)
    spec = {"model_size": 6, "heads": 2, "layers": 2, "feedforward_size": 7, "dropout": 0.0}
    return case, {"transformer": spec}, lambda x: layers(projection(x[0]) + places)[:, -1]


def gru_transformer():
    case = Case(11)
    gru = case.module(nn.GRU(3, 4, 1, batch_first=True), "gru")
    layers = transformer_layers(case, 4)
    spec = {"gru": stack(4), "heads": 2, "layers": 2, "feedforward_size": 7, "dropout": 0.0, "pooling": "mean"}
    return case, {"gru_transformer": spec}, lambda x: layers(gru(x[0])[0]).mean(1)


def mlp():
    case = Case(12, features=(3, 2), steps=(T, 4))
    first, second = case.module(nn.Linear(26, 5), "mlp.0"), case.module(nn.Linear(5, 4), "mlp.1")

    def run(x):
        flat = torch.cat([own.flatten(1) for own in x], 1)
        return torch.relu(second(torch.relu(first(flat))))

    return case, {"mlp": {"hidden_sizes": [5, 4]}}, run


CASES = [
    gru_mean,
    gru_bidirectional_short,
    gru_attention_short,
    gru_zoneout,
    gru_layer_norm,
    lstm_mean_short,
    lstm_layer_norm_zoneout,
    multi_scale_attention,
    cnn_gru,
    transformer,
    gru_transformer,
    mlp,
]


def main():
    torch.set_num_threads(1)
    tensors, header = {}, {"how_made": f"scripts/network_vectors.py, torch {torch.__version__}, double precision"}
    for make in CASES:
        case, encoder, run = make()
        name = make.__name__
        if case.lengths is not None:
            for window, length in zip(case.inputs[0], case.lengths):
                window[: T - length] = 0.0
        for values in case.inputs:
            values.requires_grad_()
        vector = run(case.inputs)
        direction = torch.randn_like(vector)
        (vector * direction).sum().backward()
        own = {"vector": vector, "direction": direction, "g.input.0": case.inputs[0].grad}
        own |= {f"input.{scale}": values for scale, values in enumerate(case.inputs)}
        own |= {f"w.{key}": value for key, value in case.weights.items()}
        own |= {f"g.{key}": value.grad for key, value in case.weights.items()}
        if case.lengths is not None:
            own["lengths"] = case.lengths
        tensors |= {f"{name}/{key}": value.detach().float().contiguous() for key, value in own.items()}
        header[name] = json.dumps(encoder)
    save_file(tensors, sys.argv[1] if len(sys.argv) > 1 else "tests/vectors/nn/encoders.safetensors", header)


if __name__ == "__main__":
    main()
