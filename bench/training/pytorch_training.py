#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The training of bench_training in PyTorch: the same model, batches, loss, optimizer and schedule.

    pytorch_training.py FOLDER dot_product|inhibitor THREADS CHECKED_STEPS STEPS

FOLDER holds job.json (sizes, options; name, shape and place of every tensor; shape of every batch), weights.bin (float32),
ids.bin, lengths.bin and labels.bin (int32). The first CHECKED_STEPS steps run without dropout and their losses are
reported; then, from the same start and with dropout, STEPS steps are timed. Prints one line of JSON.

The inhibitor is the form that needs no kernel of one's own: distances by torch.cdist, and the signed ReLU aggregation by
two more cdist, from relu(a - z) = (a - z + |a - z|) / 2.
"""
import ctypes
import json
import math
import os
import sys
import time

import torch
import torch.nn.functional as F


def set_threads(threads):
    torch.set_num_threads(threads)
    with open("/proc/self/maps") as maps:
        for line in maps:
            if "openblas" in line:
                library = ctypes.CDLL(line.split()[-1])
                if hasattr(library, "openblas_set_num_threads"):
                    library.openblas_set_num_threads(threads)
                return


class Model(torch.nn.Module):
    def __init__(self, job, numbers, attention):
        super().__init__()
        self.job, self.attention = job, attention
        self.p = {t["name"]: torch.nn.Parameter(
            numbers[t["begin"]:t["begin"] + math.prod(t["shape"])].reshape(t["shape"]).clone())
            for t in job["tensors"][attention]}

    def linear(self, x, name):
        return F.linear(x, self.p[name + ".weight"], self.p[name + ".bias"])

    def norm(self, x, name):
        return F.layer_norm(x, x.shape[-1:], self.p[name + ".weight"], self.p[name + ".bias"], 1e-12)

    def drop(self, x, rate):
        return F.dropout(x, rate, self.training)

    def context(self, x, layer, attended):
        shape = (x.shape[0], x.shape[1], self.job["n_heads"], -1)
        q, k, v = (self.linear(x, layer + f".attention.{n}_lin").view(shape).transpose(1, 2) for n in "qkv")
        keys = attended[:, None, None, :]
        size = q.shape[-1]
        if self.attention == "dot_product":
            scores = torch.matmul(q / math.sqrt(size), k.transpose(2, 3))
            out = torch.matmul(F.softmax(scores.masked_fill(~keys, -torch.inf), dim=-1), v)
        else:
            scale, shift, eta = (self.p[layer + ".attention.inhibitor_" + n].view(1, -1, 1, 1)
                                 for n in ("score_scale", "shift", "output_scale"))
            weight = keys.to(x.dtype)
            s = torch.cdist(q, k, p=1) * (scale / math.sqrt(size))
            mean = (s * weight).sum(-1, keepdim=True) / weight.sum(-1, keepdim=True)
            # A key that is not attended lets nothing through when its value and its inhibition are both 0.
            z = F.relu(s - mean + shift) * weight
            v = v * weight.transpose(2, 3)
            vt = v.transpose(2, 3)
            out = 0.5 * eta * (v.sum(2, keepdim=True) + torch.cdist(z, F.relu(vt), p=1)
                               - torch.cdist(z, F.relu(-vt), p=1))
        return out.transpose(1, 2).reshape(x.shape)

    def forward(self, ids, mask):
        e = "distilbert.embeddings."
        x = F.embedding(ids, self.p[e + "word_embeddings.weight"], padding_idx=self.job["pad_token_id"])
        x = x + self.p[e + "position_embeddings.weight"][:ids.shape[1]]
        x = self.drop(self.norm(x, e + "LayerNorm"), self.job["dropout"])
        for n in range(self.job["n_layers"]):
            layer = f"distilbert.transformer.layer.{n}"
            attended = mask
            if self.training and self.job["attention_dropout"] > 0:
                attended = mask & (torch.rand(mask.shape) >= self.job["attention_dropout"])
                attended[:, 0] = True  # softmax over nothing is undefined
            y = self.linear(self.context(x, layer, attended), layer + ".attention.out_lin")
            x = self.norm(x + y, layer + ".sa_layer_norm")
            y = self.linear(F.gelu(self.linear(x, layer + ".ffn.lin1")), layer + ".ffn.lin2")
            x = self.norm(x + self.drop(y, self.job["dropout"]), layer + ".output_layer_norm")
        pooled = self.drop(F.relu(self.linear(x[:, 0], "pre_classifier")), self.job["seq_classif_dropout"])
        return self.linear(pooled, "classifier")


def batches_of(folder, job):
    def read(name):
        path = os.path.join(folder, name)
        return torch.from_file(path, size=os.path.getsize(path) // 4, dtype=torch.int32).long()
    ids, lengths, labels = read("ids.bin"), read("lengths.bin"), read("labels.bin")
    cell = row = 0
    for batch, length in job["batches"]:
        places = torch.arange(length).unsqueeze(0)
        yield (ids[cell:cell + batch * length].reshape(batch, length),
               places < lengths[row:row + batch].unsqueeze(1), labels[row:row + batch])
        cell += batch * length
        row += batch


def train(model, job, batches, steps):
    """Losses of `steps` steps, and the seconds they took: of the processor with one thread, else of the wall."""
    o = job["optimizer"]
    groups = [[p for p in model.p.values() if p.dim() > 1], [p for p in model.p.values() if p.dim() <= 1]]
    optimizer = torch.optim.AdamW([{"params": groups[0], "weight_decay": o["weight_decay"]},
                                   {"params": groups[1], "weight_decay": 0.0}], lr=o["learning_rate"])
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min(step / o["warmup"], max(0.0, (o["total"] - step) / (o["total"] - o["warmup"]))))
    parameters = list(model.p.values())
    clock = time.thread_time if torch.get_num_threads() == 1 else time.perf_counter
    losses, start = [], clock()
    for step in range(steps):
        ids, mask, labels = batches[step]
        optimizer.zero_grad()
        loss = F.cross_entropy(model(ids, mask), labels)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, o["max_norm"])
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
    return losses, clock() - start


def main():
    folder, attention = sys.argv[1], sys.argv[2]
    threads, checked, steps = (int(x) for x in sys.argv[3:6])
    set_threads(threads)
    torch.manual_seed(1)
    with open(os.path.join(folder, "job.json")) as file:
        job = json.load(file)
    path = os.path.join(folder, "weights.bin")
    numbers = torch.from_file(path, size=os.path.getsize(path) // 4, dtype=torch.float32)
    batches = list(batches_of(folder, job))
    losses, _ = train(Model(job, numbers, attention).eval(), job, batches, checked)
    _, seconds = train(Model(job, numbers, attention).train(), job, batches, steps)
    print(json.dumps({"version": torch.__version__, "losses": losses, "seconds": seconds}))


main()
