#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Reference numbers for tests/models/test_golden.cpp, computed by PyTorch in double and independent of the C++ code.

Run:  python3 tests/golden/make_golden.py [output folder, default: the folder of this script]

Needs PyTorch only (Debian: package python3-torch, with Debian's own Python; made with 1.13). The draws come from
Python's own generator and are rounded to float32 values, so the inputs are the same with any PyTorch; the results may
differ in the last bits on another CPU.

Files are safetensors with F64 values and I64 integers. Shapes: B batch, L queries, S keys, H heads, D head size, Dv
value size, C width, V vocabulary.

attention: one group `<case>/...` per call; the mechanism is in the case's name (inhibitor_* or dot_product_*).
    q, dq [B,H,L,D]   k, dk [B,H,S,D]   v, dv [B,H,S,Dv]   out, dout [B,H,L,Dv]   key_mask [B,S] (1: attend)
    options [4]: signed, centering (0 none, 1 attended keys, 2 all keys), divide by length, causal
    gamma, delta, eta, dgamma, ddelta, deta [H], for the inhibitor

distilbert_inhibitor, distilbert_dot_product, bert: a model, a batch, and what follows from them.
    config [6]: vocabulary, positions, layers, heads, hidden_dim, labels
    param/<HF name>
    input/ids, input/key_mask, input/mlm_labels [B,L], input/labels [B], for bert input/token_types [B,L]
    hidden.<i> [B,L,C] (0: embedding output), context.<i> [B,L,C] (heads merged, before the output projection)
    logits [B,labels], loss [1], grad/<HF name>; mlm_logits [B,L,V], mlm_loss [1], mlm_grad/<HF name>
    ten optimizer steps on the classification loss: losses, grad_norms (before clipping), learning_rates [10],
    final/<HF name>, moment/<HF name> (first moments, which show the clipping)
    A head takes part in its own loss only and has no entry elsewhere. The pad id stands once at an attended position:
    its row gets no gradient from the lookup.

objectives: distilbert_dot_product distilled into distilbert_inhibitor on the latter's batch.
    context.<l>/: mean squared error of the context of layer l; gradients of its q, k, v and scalars only
    hidden/: sum over the layers of the error of their outputs
    task/: KL, error of the last hidden state and labels; weights [4] = their weights and the temperature
    each with loss [1] and grad/<HF name>

pretraining: the two distilberts pretrained for 100 steps with masks of their own each, one group per model:
    <model>/ids, <model>/key_mask, <model>/mlm_labels [steps,B,L], -100 where nothing is guessed;
    <model>/losses, <model>/grad_norms (before clipping), <model>/learning_rates [steps]

distillation: kl_*/ (soft targets), token_kl/ (the same per token under a mask), hidden_mse/, cosine/.
    student, teacher, dstudent, loss [1], where it applies key_mask [B,L] and temperature [1]

Points closer than 1e-6 to a kink, where a subgradient jumps, are refused by assertions; exact ties in the tie cases are
wanted.
"""
import array
import json
import math
import os
import random
import struct
import sys

import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)
KINK_MARGIN = 1e-6
EPS = 1e-12  # LayerNorm of BERT and DistilBERT


def write_safetensors(path, tensors):
    kinds = {torch.int64: ("I64", "q"), torch.float64: ("F64", "d")}
    header, body = {}, []
    offset = 0
    for name, t in sorted(tensors.items(), key=lambda item: (item[1].dtype != torch.int64, item[0])):
        kind, code = kinds[t.dtype]
        raw = array.array(code, t.detach().flatten().tolist()).tobytes()
        header[name] = {"dtype": kind, "shape": list(t.shape), "data_offsets": [offset, offset + len(raw)]}
        offset += len(raw)
        body.append(raw)
    assert sys.byteorder == "little"
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text + b"".join(body))
    print(f"{os.path.basename(path)}: {len(tensors)} tensors, {8 + len(text) + offset} bytes")


class Draw:
    """Normal draws rounded to float32 values (or to multiples of `grid`)."""

    def __init__(self, seed):
        self.rng = random.Random(seed)

    def normal(self, *shape, std=1.0, mean=0.0, grid=None):
        n = math.prod(shape)
        x = torch.tensor([self.rng.gauss(mean, std) for _ in range(n)]).reshape(shape)
        return torch.round(x / grid) * grid if grid else x.float().double()


class Kinks:
    """Smallest distance to a kink seen, and how much of the values the inhibition lets through."""

    def __init__(self, allow_ties=False):
        self.allow_ties, self.nearest, self.positive, self.alive, self.pairs, self.values = (
            allow_ties,
            math.inf,
            0,
            0,
            0,
            0,
        )

    def see(self, x):
        x = x.detach().abs().flatten()
        if self.allow_ties:
            x = x[x > 0]
        if x.numel():
            self.nearest = min(self.nearest, x.min().item())
        assert self.nearest > KINK_MARGIN, self.nearest


def allowed_pairs(key_mask, queries, causal):
    """(B, 1, L, S), true where query i may attend to key j."""
    keys = key_mask.shape[1]
    allowed = key_mask.bool()[:, None, None, :].expand(-1, 1, queries, keys)
    if causal:
        i, j = torch.arange(queries)[:, None], torch.arange(keys)[None, :]
        allowed = allowed & (j <= i + keys - queries)
    return allowed


def inhibitor(q, k, v, allowed, gamma, delta, eta, signed=True, centering=1, by_length=False, kinks=None):
    """(B,H,L,D), (B,H,S,D), (B,H,S,Dv) -> (B,H,L,Dv). PyTorch's relu and abs have slope 0 at 0, as wanted."""
    per_head = lambda x: x[None, :, None, None]
    diff = q[:, :, :, None, :] - k[:, :, None, :, :]
    s = per_head(gamma) * diff.abs().sum(-1) / math.sqrt(q.shape[-1])
    weight = allowed.to(s.dtype)
    count = weight.sum(-1, keepdim=True).clamp(min=1)
    if centering == 1:
        s = s - (s * weight).sum(-1, keepdim=True) / count
    elif centering == 2:
        s = s - s.mean(-1, keepdim=True)
    s = s + per_head(delta)
    z = torch.relu(s)[..., None]
    value = v[:, :, None, :, :]
    if signed:
        soft = torch.relu(torch.relu(value) - z) - torch.relu(torch.relu(-value) - z)
    else:
        soft = torch.relu(value - z)
    h = (soft * weight[..., None]).sum(3)
    if by_length:
        h = h / count
    if kinks is not None:
        live = allowed.expand(s.shape)
        margin = (value.abs() if signed else value) - z
        kinks.see(diff[live] if centering != 2 else diff)
        kinks.see(s[live])
        kinks.see(margin[live][(z > 0).expand(margin.shape)[live]] if signed else margin[live])
        kinks.positive += (s[live] > 0).sum().item()
        kinks.pairs += s[live].numel()
        kinks.alive += (margin[live] > 0).sum().item()
        kinks.values += margin[live].numel()
    return per_head(eta) * h


def dot_product(q, k, v, allowed):
    """A query with no key to attend to gives zeros."""
    s = (q / math.sqrt(q.shape[-1])) @ k.transpose(-1, -2)
    s = s.masked_fill(~allowed, torch.finfo(s.dtype).min)
    return (torch.softmax(s, -1) * allowed) @ v


# ---- attention calls ----


def attention_cases():
    out = {}

    def case(
        name,
        B=2,
        H=2,
        L=4,
        S=5,
        D=5,
        Dv=None,
        signed=True,
        centering=1,
        by_length=False,
        causal=False,
        lengths=None,
        gamma=(0.9, 0.6),
        delta=(0.25, 0.5),
        eta=(1.0, 0.7),
        ties=None,
        seed=0,
    ):
        draw = Draw(f"attention {name} {seed}")
        Dv = Dv or D
        grid = 0.25 if ties == "all" else None
        q, k = draw.normal(B, H, L, D, grid=grid), draw.normal(B, H, S, D, grid=grid)
        v, dout = draw.normal(B, H, S, Dv, grid=grid), draw.normal(B, H, L, Dv, grid=grid)
        if ties == "q=k":
            k = torch.cat([q[:, :, :S], k[:, :, q.shape[2] :]], 2)
            k[:, :, -1] = k[:, :, 0]
        if ties == "all":
            v[:, :, :, 0] = 0.0
        key_mask = torch.ones(B, S, dtype=torch.int64)
        for b, n in enumerate(lengths or []):
            key_mask[b, n:] = 0
        allowed = allowed_pairs(key_mask, L, causal)
        leaves = {"q": q, "k": k, "v": v}
        is_inhibitor = name.startswith("inhibitor")
        if is_inhibitor:
            leaves.update(
                {n: torch.tensor(x).float().double() for n, x in (("gamma", gamma), ("delta", delta), ("eta", eta))}
            )
        for t in leaves.values():
            t.requires_grad_(True)
        if is_inhibitor:
            kinks = Kinks(allow_ties=ties is not None)
            result = inhibitor(
                *[leaves[n] for n in ("q", "k", "v")],
                allowed,
                *[leaves[n] for n in ("gamma", "delta", "eta")],
                signed,
                centering,
                by_length,
                kinks,
            )
            print(
                f"  {name}: kinks {kinks.nearest:.1e} away, "
                f"{kinks.positive / max(kinks.pairs, 1):.0%} of scores positive, "
                f"{kinks.alive / max(kinks.values, 1):.0%} of values pass"
            )
        else:
            result = dot_product(q, k, v, allowed)
        result.backward(dout)
        group = {
            "out": result,
            "dout": dout,
            "key_mask": key_mask,
            "options": torch.tensor([int(signed), centering, int(by_length), int(causal)]),
        }
        for n, t in leaves.items():
            group[n], group["d" + n] = t, t.grad
        out.update({f"{name}/{n}": t for n, t in group.items()})

    case("inhibitor_signed_attended", lengths=[5, 3])
    case("inhibitor_signed_none", centering=0, gamma=(0.15, 0.1), delta=(-0.2, 0.0625), lengths=[4, 5])
    case("inhibitor_signed_all_keys", centering=2, lengths=[5, 3])
    case("inhibitor_unsigned_attended", signed=False, lengths=[5, 3])
    case("inhibitor_unsigned_none", signed=False, centering=0, gamma=(0.15, 0.1), delta=(-0.2, 0.0625), lengths=[4, 5])
    case("inhibitor_unsigned_all_keys", signed=False, centering=2, lengths=[2, 5])
    case("inhibitor_by_length", by_length=True, lengths=[5, 2])
    case("inhibitor_causal", causal=True, L=6, S=6, D=8)
    case("inhibitor_causal_more_keys", causal=True, L=3, S=6, lengths=[6, 4])
    case("inhibitor_causal_fewer_keys", causal=True, L=6, S=3, D=8)  # queries 0..2 attend to nothing
    case("inhibitor_causal_all_keys", causal=True, centering=2, L=5, S=5)
    case("inhibitor_empty_item", lengths=[0, 5])
    case("inhibitor_empty_item_all_keys", centering=2, lengths=[5, 0])
    case("inhibitor_value_size", D=5, Dv=3, L=3, S=7)
    case(
        "inhibitor_head_size_8",
        D=8,
        Dv=8,
        H=3,
        gamma=(0.9, 0.6, 1.2),
        delta=(0.25, 0.5, -0.1),
        eta=(1.0, 0.7, -0.8),
        lengths=[5, 4],
    )
    case("inhibitor_wide", B=1, L=9, S=19, D=17, Dv=17, lengths=[18])
    case("inhibitor_one_key", B=1, L=2, S=1)
    case(
        "inhibitor_zero_and_negative_scalars",
        H=3,
        gamma=(0.9, 0.0, -0.7),
        delta=(0.25, 0.5, 0.1),
        eta=(0.0, 1.0, -1.0),
        lengths=[5, 3],
    )
    case("inhibitor_ties_q_equals_k", ties="q=k", L=4, S=5, lengths=[5, 4])
    # Dyadic inputs: |q-k| = 0, S + delta = 0 and |v| = Z all occur, exactly, in float as well.
    case(
        "inhibitor_ties_exact",
        ties="all",
        centering=0,
        D=4,
        gamma=(0.5, 0.25),
        delta=(-0.5, -0.25),
        eta=(1.0, 0.5),
        lengths=[5, 4],
    )
    case(
        "inhibitor_ties_exact_unsigned",
        ties="all",
        signed=False,
        centering=0,
        D=4,
        gamma=(0.5, 0.25),
        delta=(-0.5, -0.25),
        eta=(1.0, 0.5),
    )
    case("dot_product_plain", lengths=[5, 3])
    case("dot_product_causal", causal=True, L=6, S=6, D=8)
    case("dot_product_causal_fewer_keys", causal=True, L=6, S=3, D=8)
    case("dot_product_empty_item", lengths=[0, 5])
    case("dot_product_value_size", D=5, Dv=3, L=3, S=7)
    case("dot_product_wide", B=1, L=9, S=19, D=17, Dv=17, lengths=[18])
    return out


# ---- encoders ----

VOCAB, POSITIONS, LAYERS, HEADS, DIM, HIDDEN, LABELS = 60, 16, 2, 2, 16, 32, 3


def distilbert_names(i):
    p = f"distilbert.transformer.layer.{i}."
    return {
        "q": p + "attention.q_lin",
        "k": p + "attention.k_lin",
        "v": p + "attention.v_lin",
        "o": p + "attention.out_lin",
        "norm1": p + "sa_layer_norm",
        "up": p + "ffn.lin1",
        "down": p + "ffn.lin2",
        "norm2": p + "output_layer_norm",
        "gamma": p + "attention.inhibitor_score_scale",
        "delta": p + "attention.inhibitor_shift",
        "eta": p + "attention.inhibitor_output_scale",
    }


def bert_names(i):
    p = f"bert.encoder.layer.{i}."
    return {
        "q": p + "attention.self.query",
        "k": p + "attention.self.key",
        "v": p + "attention.self.value",
        "o": p + "attention.output.dense",
        "norm1": p + "attention.output.LayerNorm",
        "up": p + "intermediate.dense",
        "down": p + "output.dense",
        "norm2": p + "output.LayerNorm",
    }


class Encoder:
    def __init__(self, is_bert, is_inhibitor, seed, classifier_std):
        self.is_bert, self.is_inhibitor = is_bert, is_inhibitor
        self.root = "bert." if is_bert else "distilbert."
        self.layers = [(bert_names if is_bert else distilbert_names)(i) for i in range(LAYERS)]
        self.p, self.draw = {}, Draw(f"encoder {seed}")
        emb = self.root + "embeddings."
        self.p[emb + "word_embeddings.weight"] = self.draw.normal(VOCAB, DIM, std=0.5)
        self.p[emb + "position_embeddings.weight"] = self.draw.normal(POSITIONS, DIM, std=0.3)
        if is_bert:
            self.p[emb + "token_type_embeddings.weight"] = self.draw.normal(2, DIM, std=0.3)
        self.norm(emb + "LayerNorm")
        for names in self.layers:
            for part in "qkvo":
                self.linear(names[part], DIM, DIM)
            self.norm(names["norm1"])
            self.linear(names["up"], HIDDEN, DIM)
            self.linear(names["down"], DIM, HIDDEN)
            self.norm(names["norm2"])
            if is_inhibitor:
                self.p[names["gamma"]] = self.draw.normal(HEADS, mean=0.7, std=0.1)
                self.p[names["delta"]] = self.draw.normal(HEADS, mean=0.3, std=0.1)
                self.p[names["eta"]] = self.draw.normal(HEADS, mean=0.8, std=0.1)
        if is_bert:
            self.pre, self.mlm_dense = "bert.pooler.dense", "cls.predictions.transform.dense"
            self.mlm_norm, self.mlm_bias = "cls.predictions.transform.LayerNorm", "cls.predictions.bias"
        else:
            self.pre, self.mlm_dense, self.mlm_norm, self.mlm_bias = (
                "pre_classifier",
                "vocab_transform",
                "vocab_layer_norm",
                "vocab_projector.bias",
            )
        self.linear(self.pre, DIM, DIM)
        self.linear("classifier", LABELS, DIM, classifier_std)
        self.linear(self.mlm_dense, DIM, DIM)
        self.norm(self.mlm_norm)
        self.p[self.mlm_bias] = self.draw.normal(VOCAB, std=0.1)
        self.mlm_only = {n for n in self.p if n.startswith((self.mlm_dense + ".", self.mlm_norm + ".", self.mlm_bias))}
        self.classify_only = {n for n in self.p if n.startswith((self.pre + ".", "classifier."))}

    def linear(self, name, rows, cols, std=None):
        self.p[name + ".weight"] = self.draw.normal(rows, cols, std=std or 1 / math.sqrt(cols))
        self.p[name + ".bias"] = self.draw.normal(rows, std=0.1)

    def norm(self, name):
        self.p[name + ".weight"] = self.draw.normal(DIM, mean=1.0, std=0.1)
        self.p[name + ".bias"] = self.draw.normal(DIM, std=0.1)

    def apply_linear(self, name, x):
        return x @ self.p[name + ".weight"].T + self.p[name + ".bias"]

    def apply_norm(self, name, x):
        mean = x.mean(-1, keepdim=True)
        var = ((x - mean) ** 2).mean(-1, keepdim=True)
        return (x - mean) / torch.sqrt(var + EPS) * self.p[name + ".weight"] + self.p[name + ".bias"]

    def gelu(self, x):
        return 0.5 * x * (1 + torch.erf(x / math.sqrt(2)))

    def encode(self, inputs, kinks):
        ids, key_mask = inputs["ids"], inputs["key_mask"]
        B, L = ids.shape
        emb = self.root + "embeddings."
        x = F.embedding(ids, self.p[emb + "word_embeddings.weight"], padding_idx=0)
        x = x + self.p[emb + "position_embeddings.weight"][:L]
        if self.is_bert:
            x = x + F.embedding(inputs["token_types"], self.p[emb + "token_type_embeddings.weight"])
        x = self.apply_norm(emb + "LayerNorm", x)
        hidden, contexts = [x], []
        allowed = allowed_pairs(key_mask, L, False)
        split = lambda t: t.reshape(B, L, HEADS, DIM // HEADS).transpose(1, 2)
        for names in self.layers:
            q, k, v = (split(self.apply_linear(names[part], x)) for part in "qkv")
            if self.is_inhibitor:
                a = inhibitor(
                    q, k, v, allowed, self.p[names["gamma"]], self.p[names["delta"]], self.p[names["eta"]], kinks=kinks
                )
            else:
                a = dot_product(q, k, v, allowed)
            contexts.append(a.transpose(1, 2).reshape(B, L, DIM))
            x = self.apply_norm(names["norm1"], self.apply_linear(names["o"], contexts[-1]) + x)
            x = self.apply_norm(
                names["norm2"], self.apply_linear(names["down"], self.gelu(self.apply_linear(names["up"], x))) + x
            )
            hidden.append(x)
        return hidden, contexts

    def classify(self, inputs, kinks):
        hidden, contexts = self.encode(inputs, kinks)
        pooled = self.apply_linear(self.pre, hidden[-1][:, 0])
        if self.is_bert:
            pooled = torch.tanh(pooled)
        else:
            kinks.see(pooled)
            pooled = torch.relu(pooled)
        return hidden, contexts, self.apply_linear("classifier", pooled)

    def masked_lm(self, inputs, kinks):
        hidden, _ = self.encode(inputs, kinks)
        t = self.apply_norm(self.mlm_norm, self.gelu(self.apply_linear(self.mlm_dense, hidden[-1])))
        return t @ self.p[self.root + "embeddings.word_embeddings.weight"].T + self.p[self.mlm_bias]


# is_bert, is_inhibitor, seed, classifier_std. The small classifier gives gradients that are never clipped, the others
# ones that always are.
MODELS = {
    "distilbert_inhibitor": (False, True, "distilbert_inhibitor", 0.25),
    "distilbert_dot_product": (False, False, "distilbert_dot_product", 0.05),
    "bert": (True, False, "bert", 0.25),
}


def encoder_case(is_bert, is_inhibitor, seed, classifier_std):
    model = Encoder(is_bert, is_inhibitor, seed, classifier_std)
    inputs = batch(seed, is_bert)
    mlm_labels = inputs["mlm_labels"]
    out = {"input/" + n: t for n, t in inputs.items()}
    out["config"] = torch.tensor([VOCAB, POSITIONS, LAYERS, HEADS, HIDDEN, LABELS])
    out.update({"param/" + n: t.clone() for n, t in model.p.items()})
    for t in model.p.values():
        t.requires_grad_(True)

    def backward(loss, prefix, absent):
        for t in model.p.values():
            t.grad = None
        loss.backward()
        for n, t in model.p.items():
            if n in absent:
                assert t.grad is None
            else:
                out[prefix + n] = t.grad.clone()

    kinks = Kinks()
    hidden, contexts, logits = model.classify(inputs, kinks)
    loss = F.cross_entropy(logits, inputs["labels"])
    backward(loss, "grad/", model.mlm_only)
    out.update({f"hidden.{i}": t for i, t in enumerate(hidden)})
    out.update({f"context.{i}": t for i, t in enumerate(contexts)})
    out.update({"logits": logits, "loss": loss.reshape(1)})
    pad_row = model.root + "embeddings.word_embeddings.weight"
    assert (out["grad/" + pad_row][0] == 0).all()

    mlm_logits = model.masked_lm(inputs, kinks)
    mlm_loss = F.cross_entropy(mlm_logits.reshape(-1, VOCAB), mlm_labels.reshape(-1), ignore_index=-100)
    backward(mlm_loss, "mlm_grad/", model.classify_only)
    out.update({"mlm_logits": mlm_logits, "mlm_loss": mlm_loss.reshape(1)})
    if is_inhibitor:
        print(
            f"  start: kinks {kinks.nearest:.1e} away, {kinks.positive / kinks.pairs:.0%} of scores positive, "
            f"{kinks.alive / kinks.values:.0%} of values pass"
        )

    # Ten steps as the HF trainer runs them.
    steps, warm_up, peak = 10, 3, 1e-3
    trained = {n: t for n, t in model.p.items() if n not in model.mlm_only}
    plain = {n for n in trained if n.endswith(".bias") or "LayerNorm" in n or "layer_norm" in n or "inhibitor_" in n}
    optimizer = torch.optim.AdamW(
        [
            {"params": [t for n, t in trained.items() if n not in plain], "weight_decay": 0.01},
            {"params": [t for n, t in trained.items() if n in plain], "weight_decay": 0.0},
        ],
        lr=peak,
        betas=(0.9, 0.999),
        eps=1e-8,
    )
    factor = lambda step: step / warm_up if step < warm_up else max(0.0, (steps - step) / (steps - warm_up))
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, factor)
    losses, norms, rates = [], [], []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = F.cross_entropy(model.classify(inputs, kinks)[2], inputs["labels"])
        loss.backward()
        norms.append(torch.nn.utils.clip_grad_norm_(trained.values(), 1.0).item())
        losses.append(loss.item())
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    model.classify(inputs, kinks)
    out.update(
        {"losses": torch.tensor(losses), "grad_norms": torch.tensor(norms), "learning_rates": torch.tensor(rates)}
    )
    out.update({"final/" + n: t.clone() for n, t in trained.items()})
    out.update({"moment/" + n: optimizer.state[t]["exp_avg"].clone() for n, t in trained.items()})
    print(
        f"  kinks {kinks.nearest:.1e} away in all steps; "
        f"losses {losses[0]:.6f} -> {losses[-1]:.6f}; norms {min(norms):.3f} .. {max(norms):.3f}"
    )
    return out


def batch(seed, is_bert):
    B, L, lengths = 3, 7, (7, 5, 3)
    rng = random.Random(f"batch {seed}")
    ids = torch.tensor([[rng.randrange(5, VOCAB) if j < n else 0 for j in range(L)] for n in lengths])
    ids[1, 2] = 0
    ids[0, 3] = ids[0, 5]  # a token met twice: its row adds up
    inputs = {
        "ids": ids,
        "key_mask": torch.tensor([[int(j < n) for j in range(L)] for n in lengths]),
        "labels": torch.tensor([2, 0, 1]),
    }
    mlm_labels = torch.full((B, L), -100)
    for b, j, target in ((0, 1, 7), (0, 4, 33), (1, 3, 59), (2, 1, 12), (2, 2, 7)):
        mlm_labels[b, j] = target
    inputs["mlm_labels"] = mlm_labels
    if is_bert:
        inputs["token_types"] = torch.tensor([[0, 0, 0, 0, 1, 1, 1], [0, 0, 1, 1, 1, 0, 0], [0, 0, 0, 0, 0, 0, 0]])
    return inputs


def objective_cases():
    teacher = Encoder(*MODELS["distilbert_dot_product"])
    student = Encoder(*MODELS["distilbert_inhibitor"])
    inputs = batch("distilbert_inhibitor", False)
    keep = inputs["key_mask"].bool()
    for t in student.p.values():
        t.requires_grad_(True)
    kinks, out = Kinks(), {}
    goal_hidden, goal_context, goal_logits = teacher.classify(inputs, kinks)
    mse = lambda a, b: F.mse_loss(a[keep], b[keep])

    def put(group, loss_of, wanted):
        for t in student.p.values():
            t.grad = None
        loss = loss_of(*student.classify(inputs, kinks))
        loss.backward()
        out[group + "/loss"] = loss.reshape(1)
        for n, t in student.p.items():
            if wanted(n) and t.grad is not None:
                out[f"{group}/grad/{n}"] = t.grad.clone()

    for l, names in enumerate(student.layers):
        parts = tuple(names[x] for x in ("q", "k", "v", "gamma", "delta", "eta"))
        put(
            f"context.{l}",
            lambda hidden, context, logits: mse(context[l], goal_context[l]),
            lambda n: n.startswith(parts),
        )
    put(
        "hidden",
        lambda hidden, context, logits: sum(mse(hidden[i], goal_hidden[i]) for i in range(1, LAYERS + 1)),
        lambda n: True,
    )
    kl, last, label, temperature = 0.6, 0.7, 0.4, 2.0

    def task(hidden, context, logits):
        soft = F.kl_div(
            torch.log_softmax(logits / temperature, -1),
            torch.softmax(goal_logits / temperature, -1),
            reduction="batchmean",
        )
        return (
            kl * temperature**2 * soft
            + last * mse(hidden[-1], goal_hidden[-1])
            + label * F.cross_entropy(logits, inputs["labels"])
        )

    put("task", task, lambda n: True)
    out["task/weights"] = torch.tensor([kl, last, label, temperature])
    return out


# ---- pretraining ----


def pretraining_cases():
    out = {}
    steps, warm_up, peak, B, L = 100, 6, 1e-2, 4, 9
    for name in ("distilbert_inhibitor", "distilbert_dot_product"):
        rng = random.Random("pretraining " + name)
        model = Encoder(*MODELS[name])
        trained = {n: t.requires_grad_(True) for n, t in model.p.items() if n not in model.classify_only}
        plain = {n for n in trained if n.endswith(".bias") or "layer_norm" in n or "LayerNorm" in n or "inhibitor_" in n}
        optimizer = torch.optim.AdamW(
            [
                {"params": [t for n, t in trained.items() if n not in plain], "weight_decay": 0.01},
                {"params": [t for n, t in trained.items() if n in plain], "weight_decay": 0.0},
            ],
            lr=peak,
            betas=(0.9, 0.98),
            eps=1e-6,
        )
        factor = lambda step: step / warm_up if step < warm_up else max(0.0, (steps - step) / (steps - warm_up))
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, factor)
        ids = torch.zeros(steps, B, L, dtype=torch.int64)
        key_mask, labels = torch.zeros_like(ids), torch.full_like(ids, -100)
        losses, norms, rates = [], [], []
        for step in range(steps):
            for b in range(B):
                length = L - b
                key_mask[step, b, :length] = 1
                for j in range(length):
                    ids[step, b, j] = 5 + (7 * j + step + rng.randrange(3)) % (VOCAB - 5)  # guessable in part
                for j in rng.sample(range(length), 1 + b % 3):
                    labels[step, b, j] = ids[step, b, j]
                    ids[step, b, j] = 4 if rng.random() < 0.8 else rng.randrange(5, VOCAB)
            optimizer.zero_grad()
            logits = model.masked_lm({"ids": ids[step], "key_mask": key_mask[step]}, None)
            loss = F.cross_entropy(logits.reshape(-1, VOCAB), labels[step].reshape(-1), ignore_index=-100)
            loss.backward()
            norms.append(torch.nn.utils.clip_grad_norm_(trained.values(), 1.0).item())
            losses.append(loss.item())
            rates.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            schedule.step()
        out.update({f"{name}/ids": ids, f"{name}/key_mask": key_mask, f"{name}/mlm_labels": labels})
        for part, values in (("losses", losses), ("grad_norms", norms), ("learning_rates", rates)):
            out[f"{name}/{part}"] = torch.tensor(values)
        print(f"  {name}: losses {losses[0]:.6f} -> {losses[-1]:.6f}")
    return out


# ---- distillation losses ----


def distillation_cases():
    draw = Draw("distillation")
    out = {}

    def put(name, student, teacher, loss, **extra):
        loss.backward()
        out.update(
            {
                f"{name}/student": student,
                f"{name}/teacher": teacher,
                f"{name}/loss": loss.reshape(1),
                f"{name}/dstudent": student.grad,
            }
        )
        out.update({f"{name}/{n}": t for n, t in extra.items()})

    mask = torch.tensor([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0], [1, 0, 0, 0, 0]])
    keep = mask.bool()
    for name, temperature in (("kl_t2", 2.0), ("kl_t4", 4.0)):
        s, t = draw.normal(4, 3, std=2.0).requires_grad_(True), draw.normal(4, 3, std=2.0)
        loss = temperature**2 * F.kl_div(
            torch.log_softmax(s / temperature, -1), torch.softmax(t / temperature, -1), reduction="batchmean"
        )
        put(name, s, t, loss, temperature=torch.tensor([temperature]))
    s, t = draw.normal(3, 5, 6, std=2.0).requires_grad_(True), draw.normal(3, 5, 6, std=2.0)
    loss = 4.0 * F.kl_div(torch.log_softmax(s[keep] / 2, -1), torch.softmax(t[keep] / 2, -1), reduction="batchmean")
    put("token_kl", s, t, loss, temperature=torch.tensor([2.0]), key_mask=mask)
    s, t = draw.normal(3, 5, 8).requires_grad_(True), draw.normal(3, 5, 8)
    put("hidden_mse", s, t, F.mse_loss(s[keep], t[keep]), key_mask=mask)
    s, t = draw.normal(3, 5, 8).requires_grad_(True), draw.normal(3, 5, 8)
    put("cosine", s, t, (1 - F.cosine_similarity(s[keep], t[keep], dim=-1, eps=1e-300)).mean(), key_mask=mask)
    return out


def main():
    folder = sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(os.path.abspath(__file__))
    jobs = {"attention": attention_cases, "objectives": objective_cases, "distillation": distillation_cases}
    jobs["pretraining"] = pretraining_cases
    jobs.update({name: lambda name=name: encoder_case(*MODELS[name]) for name in MODELS})
    for name, make in jobs.items():
        write_safetensors(os.path.join(folder, name + ".safetensors"), make())


if __name__ == "__main__":
    main()
