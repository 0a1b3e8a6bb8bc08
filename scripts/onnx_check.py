#!/usr/bin/env python3
"""Holds the ONNX models that tidegate writes against PyTorch, in ONNX Runtime.

    python3 scripts/onnx_check.py [VECTORS ...]

Needs torch, onnx, onnxruntime and safetensors. VECTORS are folders of reference networks (default: tests/vectors/nn). For each network and
for random ones of every kind that can be exported it writes models with examples/export_onnx.rs, at every operator set, and compares
outputs to 1e-5, on other batch sizes and numbers of steps too. It ends with one line: `N passed, N failed`.
"""

import functools
import json
import pathlib
import subprocess
import sys
import tempfile

import numpy
import onnx
import onnxruntime
import torch
from safetensors.numpy import load_file, save_file

ROOT = pathlib.Path(__file__).resolve().parent.parent
TOLERANCE = 1e-5
OPSETS = [14, 17, 18, 20, 22]
TALLY = {"passed": 0, "failed": 0}
LARGEST = {}


@functools.cache
def program():
    command = ["cargo", "build", "--release", "-p", "tidegate-models", "--no-default-features", "--example", "export_onnx",
               "--message-format=json"]
    lines = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.splitlines()
    messages = (json.loads(line) for line in lines if line.startswith("{"))
    return next(m["executable"] for m in messages if m.get("executable") and m["target"]["name"] == "export_onnx")


def export(what, weights, opset, folder, **settings):
    arguments = [f"{key}={value}" for key, value in settings.items()]
    subprocess.run([program(), what, weights, str(opset), folder, *arguments], check=True, stdout=subprocess.DEVNULL)


def session(path):
    onnx.checker.check_model(onnx.load(path), full_check=True)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def run(model, inputs):
    names = [output.name for output in model.get_outputs()]
    return dict(zip(names, model.run(None, inputs)))


def compare(group, case, found, expected):
    for name, value in expected.items():
        value = value.detach().numpy() if isinstance(value, torch.Tensor) else value
        same = name in found and found[name].shape == value.shape
        difference = float(numpy.abs(found[name] - value).max()) if same else float("inf")
        LARGEST[group] = max(LARGEST.get(group, 0.0), difference)
        good = difference < TOLERANCE
        TALLY["passed" if good else "failed"] += 1
        if not good:
            shapes = found[name].shape if name in found else "no output", value.shape
            print(f"FAILED {case} {name}: largest difference {difference:.2e}, shapes {shapes}")


def module(weights, prefix):
    """The torch module whose weights have these names and shapes."""
    own = {name.removeprefix(prefix): torch.from_numpy(value) for name, value in weights.items() if name.startswith(prefix)}
    own = {name: value for name, value in own.items() if name.startswith(("weight_", "bias_")) and "." not in name}
    rows, hidden = own["weight_hh_l0"].shape
    kind = torch.nn.GRU if rows == 3 * hidden else torch.nn.LSTM
    layers = 1 + max(int(name.split("_l")[1].split("_")[0]) for name in own)
    bidirectional = any(name.endswith("_reverse") for name in own)
    built = kind(own["weight_ih_l0"].shape[1], hidden, layers, batch_first=True, bidirectional=bidirectional)
    built.load_state_dict(own)
    return built


def check_stack(path, folder):
    """Vectors as they are, then other sizes with and without initial states against the module."""
    vectors = load_file(path)
    layer = module(vectors, "w.")
    lstm = isinstance(layer, torch.nn.LSTM)
    states = [name for name in ("h0", "c0") if name == "h0" or lstm]
    random = numpy.random.default_rng(7)
    for opset in OPSETS:
        export("stack", path, opset, folder)
        optional, required, zero = (session(folder / f"stack{kind}.onnx") for kind in ("", "_required", "_zero"))
        given = {name: vectors[name] for name in ("input", *states) if name in vectors}
        expected = {name: vectors[name] for name in ("output", "h_n", "c_n") if name in vectors}
        compare("vectors", f"{path.name} opset {opset}", run(optional, given), expected)
        for batch, steps in [(1, 1), (7, 3), (2, 40)]:
            case = f"{path.name} opset {opset} batch {batch} steps {steps}"
            shape = (layer.num_layers * (2 if layer.bidirectional else 1), batch, layer.hidden_size)
            window = random.standard_normal((batch, steps, layer.input_size), dtype=numpy.float32)
            initial = {name: random.standard_normal(shape, dtype=numpy.float32) for name in states}
            for from_zero in (True, False):
                start = tuple(torch.from_numpy(initial[name]) for name in states)
                start = None if from_zero else start if lstm else start[0]
                output, last = layer(torch.from_numpy(window), start)
                expected = {"output": output, **dict(zip(("h_n", "c_n"), last if lstm else (last,)))}
                inputs = {"input": window} if from_zero else {"input": window, **initial}
                compare("stacks", case, run(optional, inputs), expected)
                compare("stacks", case, run(zero if from_zero else required, inputs), expected)


def check_heads_of(path, folder):
    """The two heads of a vector file, which read the output of the last step."""
    vectors = load_file(path)
    if "h0" in vectors:
        return
    for opset in OPSETS:
        case = f"{path.name} opset {opset}"
        export("network", path, opset, folder, recurrent="w.", pooling="last_step", head="w.fc")
        compare("vectors", case, run(session(folder / "network.onnx"), {"input": vectors["input"]}), {"mean": vectors["pred"]})
        export("network", path, opset, folder, recurrent="w.", pooling="last_step", head="w.fc2", kind="gaussian,1e-6")
        found = run(session(folder / "network.onnx"), {"input": vectors["input"]})
        compare("vectors", case, found, {"mean": vectors["nll_mu"], "variance": vectors["nll_var"]})


class Network(torch.nn.Module):
    """A network as docs/EXPORT.md describes it, written a second time."""

    def __init__(self, case):
        super().__init__()
        self.case = case
        kind = {"gru": torch.nn.GRU, "lstm": torch.nn.LSTM}[case.get("cell", "gru")]
        hidden, both = case.get("hidden", 6), case.get("bidirectional", False)
        width = hidden * (2 if both else 1)
        features = case.get("features", [4])
        self.recurrent = torch.nn.ModuleList(
            kind(size, hidden, case.get("layers", 1), batch_first=True, bidirectional=both) for size in features
        )
        attention = case.get("pooling") == "attention"
        self.attention = torch.nn.ModuleList(torch.nn.Linear(width, width) for _ in features if attention)
        self.score = torch.nn.ParameterList(torch.randn(1, width) for _ in features if attention)
        self.fusion = torch.nn.Linear(width * len(features), hidden) if len(features) > 1 else None
        size = hidden if self.fusion else width
        self.embedding = torch.nn.Embedding(*case["embedding"]) if case.get("embedding") else None
        size += self.embedding.embedding_dim if self.embedding else 0
        self.head_hidden = torch.nn.Linear(size, case["head_hidden"]) if case.get("head_hidden") else None
        parameters = {"point": 1, "gaussian": 2, "student_t": 3, "student_t_fixed": 2}.get(case["kind"][0], len(case["kind"]) - 1)
        self.head = torch.nn.Linear(case["head_hidden"] if self.head_hidden else size, parameters * case.get("horizons", 1))

    def pool(self, place, window):
        output, last = self.recurrent[place](window)
        last = last[0] if isinstance(last, tuple) else last
        pooling = self.case.get("pooling", "last_states")
        if pooling == "last_states":
            directions = 2 if self.recurrent[place].bidirectional else 1
            return torch.cat(list(last[-directions:]), 1)
        if pooling == "last_step":
            return output[:, -1]
        if pooling == "mean":
            return output.mean(1)
        scores = torch.tanh(self.attention[place](output)) @ self.score[place].T
        return (output * torch.softmax(scores, 1)).sum(1)

    def forward(self, windows, symbols):
        vector = torch.cat([self.pool(place, window) for place, window in enumerate(windows)], 1)
        vector = torch.relu(self.fusion(vector)) if self.fusion else vector
        vector = torch.cat([vector, self.embedding(symbols)], 1) if self.embedding else vector
        hidden = torch.relu(self.head_hidden(vector)) if self.head_hidden else vector
        raw = self.head(hidden).view(len(vector), -1, self.case.get("horizons", 1))
        softplus = torch.nn.functional.softplus
        kind, *numbers = self.case["kind"]
        outputs = {"encoding": vector}
        if kind == "quantile":
            steps = torch.cat([raw[:, :1], softplus(raw[:, 1:])], 1)
            return {**outputs, "quantiles": steps.cumsum(1).transpose(1, 2)}
        outputs["mean"] = raw[:, 0]
        if kind == "gaussian":
            outputs["variance"] = softplus(raw[:, 1]) + numbers[0]
        elif kind in ("student_t", "student_t_fixed"):
            degrees = torch.full_like(raw[:, 0], numbers[1])
            degrees = degrees + softplus(raw[:, 2]) if kind == "student_t" else degrees
            outputs["variance"] = (softplus(raw[:, 1]) + numbers[0]) * degrees / (degrees - 2)
            outputs["degrees_of_freedom"] = degrees
        return outputs

    def weights(self):
        names = {}
        for name, value in self.state_dict().items():
            parts = name.split(".")
            if parts[0] == "score":
                name = f"attention.{parts[1]}.score"
            names[name] = value.numpy().copy()
        return names

    def settings(self):
        scales = range(len(self.recurrent))
        settings = {"recurrent": ",".join(f"recurrent.{scale}." for scale in scales), "head": "head"}
        settings["kind"] = ",".join(map(str, self.case["kind"]))
        settings["horizons"] = self.case.get("horizons", 1)
        pooling = self.case.get("pooling", "last_states")
        attention = ",".join(f"attention.{scale}" for scale in scales)
        settings["pooling"] = attention if pooling == "attention" else pooling
        parts = {"fusion": self.fusion, "head_hidden": self.head_hidden}
        settings.update({name: name for name, part in parts.items() if part})
        if self.embedding:
            settings["embedding"] = "embedding.weight"
        return settings


CASES = [
    {"kind": ["point"]},
    {"kind": ["gaussian", 1e-4], "layers": 3, "hidden": 17},
    {"kind": ["gaussian", 1e-4], "features": [4, 2], "layers": 2, "horizons": 3},
    {"kind": ["point"], "features": [1, 2, 3], "pooling": "mean", "head_hidden": 7},
    {"kind": ["student_t", 1e-4, 2.01], "cell": "lstm", "horizons": 4},
    {"kind": ["student_t_fixed", 1e-4, 5.0], "cell": "lstm", "layers": 2, "bidirectional": True},
    {"kind": ["quantile", 0.05, 0.5, 0.95], "horizons": 5, "pooling": "attention"},
    {"kind": ["quantile", 0.05, 0.5, 0.95], "bidirectional": True, "pooling": "attention", "features": [3, 4]},
    {"kind": ["gaussian", 1e-6], "embedding": (5, 3), "head_hidden": 7, "horizons": 2},
    {"kind": ["point"], "cell": "lstm", "bidirectional": True, "pooling": "last_step", "embedding": (5, 3)},
    {"kind": ["point"], "cell": "lstm", "bidirectional": True, "pooling": "mean", "layers": 2},
]


def check_network(case, folder):
    torch.manual_seed(11)
    network = Network(case)
    weights = folder / "weights.safetensors"
    save_file(network.weights(), weights)
    random = numpy.random.default_rng(3)
    for opset in OPSETS:
        export("network", weights, opset, folder, **network.settings())
        whole, encoder, head = (session(folder / f"{kind}.onnx") for kind in ("network", "encoder", "head"))
        for batch, steps in [(3, 9), (1, 1), (6, 30)]:
            name = f"{case} opset {opset} batch {batch} steps {steps}"
            features = case.get("features", [4])
            windows = [random.standard_normal((batch, steps + 2 * place, size), dtype=numpy.float32)
                       for place, size in enumerate(features)]
            suffixes = [""] if len(features) == 1 else [f"_{place}" for place in range(len(features))]
            inputs = {f"input{suffix}": window for suffix, window in zip(suffixes, windows)}
            symbols = random.integers(0, 5, batch)
            if case.get("embedding"):
                inputs["symbol"] = symbols
            with torch.no_grad():
                expected = network([torch.from_numpy(window) for window in windows], torch.from_numpy(symbols))
            encoding = run(encoder, inputs)
            compare("two graphs", name, encoding, {"encoding": expected.pop("encoding")})
            compare("two graphs", name, run(head, encoding), expected)
            compare("networks", name, run(whole, inputs), expected)


def main():
    folders = [pathlib.Path(name) for name in sys.argv[1:]] or [ROOT / "tests/vectors/nn"]
    with tempfile.TemporaryDirectory() as scratch, torch.no_grad():
        scratch = pathlib.Path(scratch)
        for path in sorted(path for folder in folders for path in folder.glob("*.safetensors")):
            if "w.weight_ih_l0" not in load_file(path):
                continue
            check_stack(path, scratch)
            check_heads_of(path, scratch)
        for case in CASES:
            check_network(case, scratch)
    print(f"torch {torch.__version__}, onnx {onnx.__version__}, onnxruntime {onnxruntime.__version__}; operator sets {OPSETS}")
    for group, difference in LARGEST.items():
        print(f"{group}: largest difference {difference:.1e}")
    print(f"{TALLY['passed']} passed, {TALLY['failed']} failed")
    sys.exit(TALLY["failed"] > 0)


if __name__ == "__main__":
    main()
