#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The operator against the cdist form and against dot-product attention, in PyTorch, in one run.

    python3 examples/torch/benchmark.py                  measures, writes bench/results/torch.json and docs/pytorch.md
    python3 examples/torch/benchmark.py --page-only      writes the page's tables again from the JSON
    python3 examples/torch/benchmark.py --help           sizes, lengths, threads, repetitions

First outputs, gradients and the losses of three training steps are compared: forms of the same mechanism from the
same weights must agree, or nothing is timed. Then the contenders take turns, repetition by repetition,
and medians count. With one thread time is that thread's processor time, with more the wall clock's.
"""
import argparse
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default, text in (
            ("layers", 6, "of the model"), ("dim", 768, "its width"), ("heads", 12, "of each layer"),
            ("hidden-dim", 3072, "width of the feed-forward layer"),
            ("vocab-size", 30522, "rows of the word embeddings"),
            ("batch", 8, "sequences of a model's batch"), ("step-length", 128, "tokens of its sequences"),
            ("threads", 1, "of PyTorch, and so of the operator"), ("repetitions", 7, "turns of each contender")):
        parser.add_argument(f"--{name}", type=int, default=default, help=f"{text} (default {default})")
    parser.add_argument("--lengths", type=int, nargs="+", default=[128, 512],
                        help="of attention alone (default 128 512)")
    parser.add_argument("--raw", type=pathlib.Path, default=ROOT / "bench/results/torch.json", help="the JSON file")
    parser.add_argument("--page", type=pathlib.Path, default=ROOT / "docs/pytorch.md", help="the page with the tables")
    parser.add_argument("--page-only", action="store_true", help="measure nothing")
    return parser.parse_args()


def cpu_fields():
    if not os.path.exists("/proc/cpuinfo"):
        return {}
    with open("/proc/cpuinfo") as lines:
        first = lines.read().split("\n\n")[0]
    return dict(map(str.strip, line.split(":", 1)) for line in first.splitlines())


args, CPU = parse(), cpu_fields()
# All of this before PyTorch is loaded. Its threads and those of its OpenBLAS share the cores, and whoever spins starves
# the other. OpenBLAS 0.3.21 takes processors younger than itself for old ones, which would slow down all contenders.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
os.environ["OPENBLAS_NUM_THREADS"] = str(args.threads)
if "avx2" in CPU.get("flags", ""):
    os.environ.setdefault("OPENBLAS_CORETYPE", "SkylakeX" if "avx512f" in CPU["flags"] else "Haswell")

import torch  # noqa: E402
import torch.nn.functional as F  # noqa: E402

import distilbert  # noqa: E402
import inhibitor_torch  # noqa: E402

OURS, CDIST, DOT = "inhibitor, this library", "inhibitor, cdist", "dot product"
FORMS = {OURS: inhibitor_torch.attention, CDIST: inhibitor_torch.cdist_attention}
GOALS = {("attention", 512): 15.0, ("training step", 128): 1.8}


def dot_product_attention(q, k, v, *_, **__):
    return F.softmax((q / q.shape[-1] ** 0.5) @ k.transpose(2, 3), dim=-1) @ v


class AttentionCase:
    """One layer's attention, batch 1: forward, or forward and backward."""

    def __init__(self, length, backward, dtype=torch.float32):
        generator = torch.Generator().manual_seed(1)
        size = args.dim // args.heads
        self.inputs = [torch.randn(1, length, args.heads, size, generator=generator).transpose(1, 2) for _ in range(3)]
        self.inputs += [torch.full((args.heads,), x) for x in (1.0, 0.5, 1.0)]
        self.grad = torch.randn(1, length, args.heads, size, generator=generator).transpose(1, 2)
        self.inputs, self.grad = [x.to(dtype) for x in self.inputs], self.grad.to(dtype)
        self.backward = backward

    def run(self, contender):
        form = FORMS.get(contender, dot_product_attention)
        if not self.backward:
            with torch.no_grad():
                return [form(*self.inputs, center="all_keys")]
        leaves = [x.requires_grad_() for x in self.inputs]
        out = form(*leaves, center="all_keys")
        return [out, *torch.autograd.grad(out, leaves[:3] if contender == DOT else leaves, self.grad)]


class ModelCase:
    """A classifier, forward or a whole training step: dropout, loss, backward, AdamW."""

    def __init__(self, length, step, contenders):
        torch.manual_seed(2)
        self.ids = torch.randint(1, args.vocab_size, (args.batch, length))
        self.labels = torch.randint(0, 2, (args.batch,))
        self.step, self.models, self.optimizers = step, {}, {}
        sizes = dict(n_layers=args.layers, dim=args.dim, n_heads=args.heads, hidden_dim=args.hidden_dim,
                     vocab_size=args.vocab_size, max_position_embeddings=max(512, length), inhibitor_center="all_keys")
        for contender in contenders:
            torch.manual_seed(3)
            kind = "dot_product" if contender == DOT else "inhibitor"
            model = distilbert.DistilBert({**sizes, "attention_type": kind}, FORMS.get(contender))
            self.models[contender] = model.train(step)
            self.optimizers[contender] = torch.optim.AdamW(model.parameters(), lr=2e-5)

    def run(self, contender):
        model, optimizer = self.models[contender], self.optimizers[contender]
        if not self.step:
            with torch.inference_mode():
                return [model.hidden_states(self.ids)[-1]]
        optimizer.zero_grad()
        loss = F.cross_entropy(model(self.ids), self.labels)
        loss.backward()
        optimizer.step()
        return [loss.detach()]


def agree(what, ours, theirs, tolerance):
    """The largest difference over the largest magnitude; ends the program where it is above `tolerance`."""
    worst = max(((x - y).abs().max() / y.abs().max().clamp(min=1e-30)).item() for x, y in zip(ours, theirs))
    print(f"checked: {what}, largest relative difference {worst:.1e}", flush=True)
    if not worst <= tolerance:
        sys.exit(f"{what}: {OURS} and {CDIST} differ by {worst:.1e}; expected at most {tolerance:.0e}")
    return {"what": what, "largest_relative_difference": worst}


def check():
    checks = []
    for length in args.lengths:
        case = AttentionCase(length, backward=False)
        checks.append(agree(f"attention, L = {length}", case.run(OURS), case.run(CDIST), 1e-4))
        # In float32 rounding decides for some |v| close to z whether they pass, and a gradient is all of it or nothing.
        case = AttentionCase(length, True, torch.float64)
        checks.append(agree(f"attention, L = {length}, gradients, float64", case.run(OURS), case.run(CDIST), 1e-9))
    case = ModelCase(args.step_length, False, FORMS)
    checks.append(agree("last hidden states", case.run(OURS), case.run(CDIST), 1e-4))
    case.step = True  # but no dropout: models stay in evaluation mode
    losses = {form: [case.run(form)[0] for _ in range(3)] for form in FORMS}
    # AdamW makes steps of one size from gradients of any, so rounding counts here. (The tests have float64.)
    checks.append(agree("losses of three training steps", losses[OURS], losses[CDIST], 5e-3))
    return checks


def measure(what, length, batch, case, contenders):
    clock = time.thread_time if args.threads == 1 else time.perf_counter
    seconds = {contender: [] for contender in contenders}
    for contender in contenders:  # the first call finds memory and starts threads
        case.run(contender)
    for _ in range(args.repetitions):
        for contender in contenders:
            start = clock()
            case.run(contender)
            seconds[contender].append(clock() - start)
    print(f"{what}, L = {length}: " + ", ".join(
        f"{name} {1e3 * statistics.median(s):.1f} ms" for name, s in seconds.items()), flush=True)
    return {"what": what, "length": length, "batch": batch, "seconds": seconds}


def machine():
    def output(*command):
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        return done.stdout.strip() if done.returncode == 0 else "unknown"
    flags = [x for x in ("avx2", "avx512f", "avx512_vnni") if x in CPU.get("flags", "").split()]
    name = (f"{CPU.get('model name', platform.machine())}, family {CPU.get('cpu family', '?')}, "
            f"model {CPU.get('model', '?')};")
    return {"cpu": " ".join([name, *flags]),
            "threads": args.threads, "clock": "processor time" if args.threads == 1 else "wall clock",
            "pytorch": torch.__version__, "openblas_coretype": os.environ.get("OPENBLAS_CORETYPE", "its own choice"),
            "omp_wait_policy": os.environ["OMP_WAIT_POLICY"],
            "compiler": output(os.environ.get("CXX", "c++"), "--version").split("\n")[0] + ", -O3 -march=native",
            "commit": output("git", "describe", "--always", "--dirty"), "load": os.getloadavg()[0],
            "date": time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime())}


def tables(raw):
    m, a = raw["machine"], raw["arguments"]
    text = [f"{m['cpu']}; {m['threads']} thread(s), {m['clock']}; PyTorch {m['pytorch']}, OpenBLAS kernels: "
            f"{m['openblas_coretype']}; OMP_WAIT_POLICY={m['omp_wait_policy']}; operator by {m['compiler']}; commit "
            f"{m['commit']}; load of the machine at the start {m['load']:.1f}; medians of {a['repetitions']} turns.",
            "",
            f"| milliseconds | L | batch | {OURS} | {CDIST} | {DOT} | cdist / ours | goal | ours / dot product |",
            "|---|---|---|---|---|---|---|---|---|"]
    for row in raw["results"]:
        ours, cdist, dot = (statistics.median(row["seconds"][x]) for x in (OURS, CDIST, DOT))
        goal = GOALS.get((row["what"], row["length"]))
        verdict = "" if goal is None else f"at least {goal:g}, " + ("met" if cdist / ours >= goal else "**missed**")
        text.append(f"| {row['what']} | {row['length']} | {row['batch']} | {1e3 * ours:.1f} | {1e3 * cdist:.1f} | "
                    f"{1e3 * dot:.1f} | {cdist / ours:.2f} | {verdict} | {ours / dot:.2f} |")
    text += ["", "| compared before timing | largest difference over the largest magnitude |", "|---|---|"]
    text += [f"| {x['what']} | {x['largest_relative_difference']:.1e} |" for x in raw["checks"]]
    return "\n".join(text)


def write_page(page, raw):
    """Puts the tables between the page's two marks; the words around them stay."""
    before, rest = page.read_text().split("<!-- measured -->", 1)
    after = rest.split("<!-- end -->", 1)[1]
    page.write_text(f"{before}<!-- measured -->\n\n{tables(raw)}\n\n<!-- end -->{after}")


def main():
    if not args.page_only:
        torch.set_num_threads(args.threads)
        raw = {"machine": machine(), "arguments": {k: v for k, v in vars(args).items() if isinstance(v, (int, list))},
               "checks": check(), "results": []}
        everybody = [*FORMS, DOT]
        for length in args.lengths:
            for what, backward in (("attention", False), ("attention, forward and backward", True)):
                raw["results"].append(measure(what, length, 1, AttentionCase(length, backward), everybody))
        for what, step in (("model, forward", False), ("training step", True)):
            case = ModelCase(args.step_length, step, everybody)
            raw["results"].append(measure(what, args.step_length, args.batch, case, everybody))
        args.raw.write_text(json.dumps(raw, indent=1) + "\n")
    write_page(args.page, json.loads(args.raw.read_text()))
    print(f"written: {args.page}")


if __name__ == "__main__":
    main()
