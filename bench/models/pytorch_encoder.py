#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The encoder of bench_model in PyTorch, at its service.

bench_model starts this with a folder that holds model.json (sizes; name, shape and place of every tensor of the two
models) and weights.bin (float32). Requests are lines of JSON on standard input, answers are lines on standard output:

  {"prepare": {"attention": "dot" | "cdist", "batch": B, "length": L, "threads": n}}   -> {"ready": true}
  {"run": true}                                                                        -> {"seconds": s}
  {"result": FILE}       writes the last hidden states as float32                      -> {"written": true}

"cdist" is the inhibitor as the thesis ran it: distances between queries and keys by torch.cdist, the signed ReLU
aggregation by two more cdist, from relu(a - z) = (a - z + |a - z|) / 2.
"""
import ctypes
import json
import math
import os
import sys
import time

import torch
import torch.nn.functional as F


def openblas():
    """The OpenBLAS that PyTorch's products use, to set its threads; None where there is another BLAS."""
    with open("/proc/self/maps") as maps:
        for line in maps:
            if "openblas" in line:
                library = ctypes.CDLL(line.split()[-1])
                if hasattr(library, "openblas_set_num_threads"):
                    return library
    return None


class Encoder:
    def __init__(self, folder):
        with open(os.path.join(folder, "model.json")) as file:
            self.model = json.load(file)
        path = os.path.join(folder, "weights.bin")
        numbers = torch.from_file(path, size=os.path.getsize(path) // 4, dtype=torch.float32)
        self.tensors = {}
        for kind, tensors in self.model["tensors"].items():
            self.tensors[kind] = {
                t["name"]: numbers[t["begin"]:t["begin"] + math.prod(t["shape"])].reshape(t["shape"]).clone()
                for t in tensors}
        self.blas = openblas()

    def prepare(self, attention, batch, length, threads):
        self.attention, self.threads = attention, threads
        torch.set_num_threads(threads)
        if self.blas is not None:
            self.blas.openblas_set_num_threads(threads)
        self.p = self.tensors["dot" if attention == "dot" else "inhibitor"]
        b, i = torch.arange(batch).unsqueeze(1), torch.arange(length).unsqueeze(0)
        self.ids = (i * 7919 + b * 31 + 5) % 30000
        self.run()

    def linear(self, x, name):
        return F.linear(x, self.p[name + ".weight"], self.p[name + ".bias"])

    def norm(self, x, name):
        return F.layer_norm(x, (self.model["dim"],), self.p[name + ".weight"], self.p[name + ".bias"],
                            self.model["layer_norm_epsilon"])

    def heads(self, x):
        return x.view(x.shape[0], x.shape[1], self.model["n_heads"], -1).transpose(1, 2)

    def context(self, x, layer):
        q, k, v = (self.heads(self.linear(x, layer + f".attention.{n}_lin")) for n in "qkv")
        size = q.shape[-1]
        if self.attention == "dot":
            scores = torch.matmul(q / math.sqrt(size), k.transpose(2, 3))
            out = torch.matmul(F.softmax(scores, dim=-1), v)
        else:
            scale, shift, eta = (self.p[layer + ".attention.inhibitor_" + n].view(1, -1, 1, 1)
                                 for n in ("score_scale", "shift", "output_scale"))
            s = torch.cdist(q, k, p=1) * (scale / math.sqrt(size))
            z = F.relu(s - s.mean(-1, keepdim=True) + shift)
            vt = v.transpose(2, 3)
            out = 0.5 * eta * (v.sum(2, keepdim=True) + torch.cdist(z, F.relu(vt), p=1)
                               - torch.cdist(z, F.relu(-vt), p=1))
        return out.transpose(1, 2).reshape(x.shape)

    def forward(self):
        e = "distilbert.embeddings."
        places = torch.arange(self.ids.shape[1])
        x = F.embedding(self.ids, self.p[e + "word_embeddings.weight"])
        x = self.norm(x + F.embedding(places, self.p[e + "position_embeddings.weight"]), e + "LayerNorm")
        for n in range(self.model["n_layers"]):
            layer = f"distilbert.transformer.layer.{n}"
            x = self.norm(x + self.linear(self.context(x, layer), layer + ".attention.out_lin"), layer + ".sa_layer_norm")
            y = self.linear(F.gelu(self.linear(x, layer + ".ffn.lin1")), layer + ".ffn.lin2")
            x = self.norm(x + y, layer + ".output_layer_norm")
        return x

    def run(self):
        clock = time.thread_time if self.threads == 1 else time.perf_counter
        with torch.inference_mode():
            start = clock()
            self.hidden = self.forward()
            return clock() - start


def main():
    torch.set_num_threads(1)
    encoder = Encoder(sys.argv[1])
    print(json.dumps({"version": torch.__version__, "openblas": encoder.blas is not None}), flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        if "prepare" in request:
            encoder.prepare(**request["prepare"])
            answer = {"ready": True}
        elif "run" in request:
            answer = {"seconds": encoder.run()}
        else:
            encoder.hidden.contiguous().numpy().tofile(request["result"])
            answer = {"written": True}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
