#!/usr/bin/env python3
"""Holds networks trained and exported by examples/export_trained.rs against PyTorch and ONNX Runtime.

    LIBTORCH=... python3 scripts/torchscript_check.py

Needs torch, onnxruntime and safetensors, and the libtorch that cargo builds with. A trained network's own forecasts are compared with
those of its TorchScript form, loaded by PyTorch, of its ONNX form, whole and in two graphs, and of modules of torch.nn that take the
checkpoint's weights by name; to 1e-5 of the targets' deviation, on other batch sizes and numbers of steps too. It ends with one
line: `N passed, N failed`.
"""

import json
import pathlib
import subprocess
import sys
import tempfile

import numpy
import onnxruntime
import torch
from onnx_check import Network
from safetensors import safe_open
from safetensors.numpy import load_file

ROOT = pathlib.Path(__file__).resolve().parent.parent
TALLY = {"passed": 0, "failed": 0}
LARGEST = {}
OUTPUTS = ("mean", "variance", "degrees_of_freedom", "quantiles")


def compare(group, case, found, expected, deviation):
    for name, value in expected.items():
        one, other = numpy.asarray(found.get(name)), numpy.asarray(value)
        unit = {"variance": deviation**2, "degrees_of_freedom": 1.0}.get(name, deviation)
        difference = float(numpy.abs((one - other) / unit).max()) if one.shape == other.shape else float("inf")
        LARGEST[group] = max(LARGEST.get(group, 0.0), difference)
        good = difference < 1e-5
        TALLY["passed" if good else "failed"] += 1
        if not good:
            print(f"FAILED {group}, {case} {name}: {difference:.2e} of a deviation, shapes {one.shape} and {other.shape}")


def session(path):
    model = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    names = [output.name for output in model.get_outputs()]
    return lambda inputs: dict(zip(names, model.run(None, {i.name: inputs[i.name] for i in model.get_inputs()})))


class Exported:
    """One network in every form; a way takes windows and symbols and returns outputs by name."""

    def __init__(self, folder):
        with safe_open(folder / "checkpoint.safetensors", "np") as file:
            content = json.loads(file.metadata()["tidegate"])["content"]
        spec, self.targets = content["network"], content["targets"]
        self.features = spec["feature_counts"]
        [(encoder, self.sizes)] = spec["encoder"].items()
        self.cell = "lstm" if encoder == "lstm" else "gru"
        head = spec["head"]
        name, settings = (head, {}) if isinstance(head, str) else next(iter(head.items()))
        numbers = settings.get("levels") or [settings.get("variance_floor", 0.0), settings.get("degrees_of_freedom", 2.01)]
        self.case = {
            "cell": self.cell,
            "kind": ["student_t_fixed" if "degrees_of_freedom" in settings else name, *numbers],
            "features": self.features,
            "hidden": self.sizes["hidden_size"],
            "layers": self.sizes["layers"],
            "bidirectional": self.sizes.get("bidirectional", False),
            "pooling": {"last": "last_states"}.get(pooling := self.sizes.get("pooling", "last"), pooling),
            "horizons": spec.get("horizons", 1),
            "head_hidden": spec.get("head_hidden_size"),
            "embedding": (spec["symbols"], spec["symbol_embedding"]) if "symbol_embedding" in spec else None,
        }
        self.symbols = spec.get("symbols", 1)
        self.modules = Network(self.case)
        self.modules.load_state_dict(dict(map(self.renamed, load_file(folder / "checkpoint.safetensors").items())))
        self.script = torch.jit.load(str(folder / "network.pt"))
        whole, encoder, head = (session(folder / f"{name}.onnx") for name in ("network", "encoder", "head"))
        self.ways = {
            "torch.nn": self.by_modules,
            "TorchScript": self.by_script,
            "ONNX": lambda windows, symbols: whole(self.named(windows, symbols)),
            "ONNX, two graphs": lambda windows, symbols: head(encoder(self.named(windows, symbols))),
        }

    def renamed(self, item):
        """A checkpoint's name as the modules have it."""
        name, value = item
        module, rest = name.split(".", 1)
        if module in (self.cell, "attention"):
            scale, rest = rest.split(".", 1) if len(self.features) > 1 else ("0", rest)
            module = "recurrent" if module == self.cell else module
            name = f"score.{scale}" if rest == "score" else f"{module}.{scale}.{rest}"
        return name, torch.from_numpy(value)

    def named(self, windows, symbols):
        suffixes = [""] if len(windows) == 1 else [f"_{place}" for place in range(len(windows))]
        return {**{f"input{suffix}": window for suffix, window in zip(suffixes, windows)}, "symbol": symbols}

    def by_modules(self, windows, symbols):
        found = self.modules([torch.from_numpy(window) for window in windows], torch.from_numpy(symbols))
        means, deviations = (torch.tensor([target[key] for target in self.targets], dtype=torch.float32)
                             for key in ("mean", "standard_deviation"))
        scaled = {"mean": lambda x: x * deviations + means, "variance": lambda x: x * deviations**2,
                  "degrees_of_freedom": lambda x: x, "quantiles": lambda x: x * deviations[:, None] + means[:, None]}
        return {name: scaled[name](found[name]).numpy() for name in OUTPUTS if name in found}

    def by_script(self, windows, symbols):
        directions = 2 if self.case["bidirectional"] else 1
        zeros = torch.zeros(self.sizes["layers"] * directions, len(symbols), self.sizes["hidden_size"])
        states = [zeros] * (len(windows) * (2 if self.cell == "lstm" else 1))
        symbol = [torch.from_numpy(symbols)] if self.case["embedding"] else []
        found = self.script(*map(torch.from_numpy, windows), *states, *symbol)
        if self.case["kind"][0] == "quantile":
            return {"quantiles": found.numpy()}
        return dict(zip(OUTPUTS, found.numpy().transpose(2, 0, 1)))


def check(folder):
    exported = Exported(folder)
    deviation = exported.targets[0]["standard_deviation"]
    data = load_file(folder / "forecasts.safetensors")
    windows = [data[f"input_{scale}"] for scale in range(len(exported.features))]
    symbols = data["symbol"].astype(numpy.int64)
    for name, way in exported.ways.items():
        forecasts = {output: data[output] for output in OUTPUTS if output in data}
        compare(f"{name} against the network's own forecasts", folder.name, way(windows, symbols), forecasts, deviation)
    random = numpy.random.default_rng(5)
    for batch, steps in [(1, 1), (9, 30)]:
        windows = [random.standard_normal((batch, steps + scale, size), dtype=numpy.float32)
                   for scale, size in enumerate(exported.features)]
        symbols = random.integers(0, exported.symbols, batch)
        expected = exported.by_modules(windows, symbols)
        for name in ("TorchScript", "ONNX", "ONNX, two graphs"):
            compare(f"{name} on other sizes", folder.name, exported.ways[name](windows, symbols), expected, deviation)


def main():
    with tempfile.TemporaryDirectory() as scratch, torch.no_grad():
        command = ["cargo", "run", "--release", "-p", "tidegate-models", "--example", "export_trained", "--", scratch]
        subprocess.run(command, cwd=ROOT, check=True)
        for folder in sorted(pathlib.Path(scratch).iterdir()):
            check(folder)
    for group, difference in LARGEST.items():
        print(f"{group}: largest difference {difference:.1e} of a deviation")
    print(f"{TALLY['passed']} passed, {TALLY['failed']} failed")
    sys.exit(TALLY["failed"] > 0)


if __name__ == "__main__":
    main()
