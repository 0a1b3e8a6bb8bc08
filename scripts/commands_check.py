#!/usr/bin/env python3
"""Holds `tidegate predict` and `tidegate export` against PyTorch, ONNX Runtime and a run's own forecasts.

    python3 scripts/commands_check.py TIDEGATE

Needs torch, onnxruntime, safetensors and pyarrow; TIDEGATE is the built binary, with libtorch. Reference networks go through `predict` and
leave as ONNX and TorchScript. Then the trained strategy of tests/vectors/trained is run, and each of its networks leaves in every
form; windows are cut from what `tidegate features` writes with the scaler in the model's metadata alone, and mean and
volatility of the ensemble must be what `forecasts.parquet` says. It ends with one line: `N passed, N failed`.
"""

import csv
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

import numpy
import onnxruntime
import pyarrow.parquet
import torch
from safetensors.numpy import load_file

VECTORS = pathlib.Path(__file__).resolve().parent.parent / "tests/vectors"
TALLY = {"passed": 0, "failed": 0}
LARGEST = {}


def compare(group, case, found, expected, tolerance, unit=1.0):
    same = found.shape == expected.shape
    difference = float(numpy.abs(found - expected).max() / unit) if same else float("inf")
    LARGEST[group] = max(LARGEST.get(group, 0.0), difference)
    good = difference < tolerance
    TALLY["passed" if good else "failed"] += 1
    if not good:
        print(f"FAILED {group}, {case}: {difference:.2e}, shapes {found.shape} and {expected.shape}")


def session(path):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    model = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    outputs = [output.name for output in model.get_outputs()]
    inputs = {own.name for own in model.get_inputs() + model.get_overridable_initializers()}

    def run(values):
        return dict(zip(outputs, model.run(None, {name: values[name] for name in values if name in inputs})))

    return run, model.get_modelmeta().custom_metadata_map


class Commands:
    def __init__(self, program, folder):
        self.program, self.folder = program, folder

    def __call__(self, *arguments):
        command = [self.program, *map(str, arguments), "--quiet"]
        return subprocess.run(command, cwd=self.folder, check=True, capture_output=True, text=True).stdout


def check_reference(tidegate, path):
    vectors = load_file(path)
    states = {name: vectors[name] for name in ("output", "h_n", "c_n") if name in vectors}
    tidegate("predict", "--weights", path, "--input", path, "--output", "states.safetensors")
    predicted = load_file(tidegate.folder / "states.safetensors")
    for name, value in states.items():
        compare("predict", f"{path.stem} {name}", predicted[name], value, 1e-6)
    for opset in (14, 17, 22):
        tidegate("export", path, "--format", "onnx", "--opset", opset, "--out", "stack.onnx")
        run, _ = session(tidegate.folder / "stack.onnx")
        found = run({name: vectors[name] for name in ("input", "h0", "c0") if name in vectors})
        for name, value in states.items():
            compare("export of layers, ONNX Runtime", f"{path.stem} {name} opset {opset}", found[name], value, 1e-5)
    tidegate("export", path, "--format", "torchscript", "--out", "stack.pt")
    script = torch.jit.load(str(tidegate.folder / "stack.pt"))
    initial = [torch.from_numpy(vectors.get(f"{name}0", numpy.zeros_like(vectors[f"{name}_n"])))
               for name in ("h", "c") if f"{name}_n" in vectors]
    packed = script(torch.from_numpy(vectors["input"]), *initial).numpy()
    batch, steps, size = vectors["output"].shape
    output = packed[:, : steps * size].reshape(batch, steps, size)
    compare("export of layers, TorchScript", path.stem, output, vectors["output"], 1e-5)


def windows_of(metadata, rows):
    """Scaled features `[bars, features]` as the metadata says, and the bars of a window."""
    [columns] = json.loads(metadata["tidegate.scaler"])["scales"]
    assert [column["name"] for column in columns] == json.loads(metadata["tidegate.features"])
    [window] = json.loads(metadata["tidegate.windows"])
    assert window["bar_multiple"] == 1
    scaled = []
    for column in columns:
        values = numpy.array([float(row[column["name"]] or "nan") for row in rows])
        lower = -numpy.inf if column["lower"] is None else column["lower"]
        upper = numpy.inf if column["upper"] is None else column["upper"]
        scaled.append((numpy.clip(values, lower, upper) - column["center"]) / column["spread"])
    return numpy.stack(scaled, 1).astype(numpy.float32), window["bars"]


def outputs_of(tidegate, arguments, windows_at):
    """What one member says in every form, `{form: {"mean": [N], "variance": [N]}}`, and its metadata."""
    tidegate("export", *arguments, "--format", "onnx", "--out", "network.onnx")
    tidegate("export", *arguments, "--format", "onnx", "--split", "--out", "network.onnx")
    tidegate("export", *arguments, "--format", "torchscript", "--out", "network.pt")
    (whole, metadata), (encoder, _), (head, _) = (
        session(tidegate.folder / f"network{part}.onnx") for part in ("", ".encoder", ".head"))
    windows = windows_at(metadata)
    script = torch.jit.load(str(tidegate.folder / "network.pt"))
    [spec] = json.loads(metadata["tidegate.network"])["encoder"].values()
    zeros = torch.zeros(spec["layers"], len(windows), spec["hidden_size"])
    mean, variance = script(torch.from_numpy(windows), zeros).numpy().transpose(2, 0, 1)
    found = {"ONNX": whole({"input": windows}), "ONNX, two graphs": head(encoder({"input": windows}))}
    return {
        **{form: {name: outputs[name][:, 0] for name in ("mean", "variance")} for form, outputs in found.items()},
        "TorchScript": {"mean": mean[:, 0], "variance": variance[:, 0]},
    }, metadata


def check_run(tidegate):
    for source in (VECTORS / "trained").rglob("*"):
        if source.is_file():
            name = source.relative_to(VECTORS / "trained")
            target = tidegate.folder / ("cache" if name.parts[0] == "members" else "") / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, target)
    tidegate("run", "strategy.toml", "--cache", "cache", "--out", "run")
    tidegate("features", "strategy.toml", "--out", "features.csv")
    with open(tidegate.folder / "features.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    forecasts = pyarrow.parquet.read_table(tidegate.folder / "run/forecasts.parquet").to_pydict()
    place = {row["time"][:10]: index for index, row in enumerate(rows)}
    for fold in sorted(set(forecasts["fold"])):
        chosen = [index for index, own in enumerate(forecasts["fold"]) if own == fold]
        # `time` of a forecast and of a feature row are the label of the same bar.
        bars = [place[forecasts["time"][index].strftime("%Y-%m-%d")] for index in chosen]

        def windows_at(metadata):
            scaled, length = windows_of(metadata, rows)
            return numpy.stack([scaled[bar - length + 1 : bar + 1] for bar in bars])

        members = [outputs_of(tidegate, ["run", "--fold", fold, "--member", member], windows_at) for member in range(2)]
        [target] = json.loads(members[0][1]["tidegate.targets"])
        deviation = target["standard_deviation"]
        for form in members[0][0]:
            means = numpy.stack([own[form]["mean"] for own, _ in members]).astype(float)
            variances = numpy.stack([own[form]["variance"] for own, _ in members]).astype(float)
            mixed = numpy.sqrt(variances.mean(0) + means.var(0))
            stated = {name: numpy.array([forecasts[name][index] for index in chosen]) for name in ("mean", "volatility")}
            compare(f"a run's forecasts, {form}", f"fold {fold} mean", means.mean(0), stated["mean"], 1e-5, deviation)
            compare(f"a run's forecasts, {form}", f"fold {fold} volatility", mixed, stated["volatility"], 1e-5, deviation)


def main():
    program = pathlib.Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory() as scratch, torch.no_grad():
        tidegate = Commands(program, pathlib.Path(scratch))
        for path in sorted((VECTORS / "nn").glob("*.safetensors")):
            if path.stem.startswith(("gru_", "lstm_")):
                check_reference(tidegate, path)
        check_run(tidegate)
    print(f"torch {torch.__version__}, onnxruntime {onnxruntime.__version__}")
    for group, difference in LARGEST.items():
        print(f"{group}: largest difference {difference:.1e}")
    print(f"{TALLY['passed']} passed, {TALLY['failed']} failed")
    sys.exit(TALLY["failed"] > 0)


if __name__ == "__main__":
    main()
