# SPDX-License-Identifier: Apache-2.0
"""Inhibitor attention for PyTorch.

    attention(query, key, value, score_scale, shift, output_scale, *, key_mask=None, is_causal=False,
              center="attended_keys", is_signed=True, normalize_by_length=False) -> Tensor

is torch.ops.inhibitor.attention, compiled for this machine when this module is first imported. query (B, H, L, D),
key (B, Hkv, S, D) and value (B, Hkv, S, Dv) are of float32 or float64 with any strides, so (B, L, H, D) tensors are
passed as x.transpose(1, 2); Hkv divides H. The scalars have one number per head, (H). key_mask (B, S) is True where a
key may be attended to; is_causal lets query i see the keys up to i + S - L. The output is (B, H, L, Dv) in the layout of query.
All six tensors have gradients; there are no second derivatives.
"""
import math
import os
import pathlib

import torch
from torch.utils import cpp_extension

HERE = pathlib.Path(__file__).resolve().parent


def build(folder=None):
    """Compiles inhibitor_torch.cpp in `folder` unless it is there already, and loads it.

    The default is $INHIBITOR_TORCH_BUILD, or build/torch of this repository. $CXX is the compiler.
    """
    folder = pathlib.Path(folder or os.environ.get("INHIBITOR_TORCH_BUILD") or HERE.parents[1] / "build" / "torch")
    folder.mkdir(parents=True, exist_ok=True)
    cpp_extension.load(
        "inhibitor_torch", [str(HERE / "inhibitor_torch.cpp")], build_directory=str(folder), is_python_module=False,
        extra_include_paths=[str(HERE.parents[1] / "include")],
        extra_cflags=["-std=c++17", "-O3", "-DNDEBUG", "-march=native", "-fopenmp"], extra_ldflags=["-fopenmp"])


build()
attention = torch.ops.inhibitor.attention


def cdist_attention(query, key, value, score_scale, shift, output_scale, *, key_mask=None, is_causal=False,
                    center="attended_keys", is_signed=True, normalize_by_length=False):
    """The same (but for Hkv) of PyTorch's own operators, as the authors wrote it.

    Distances by torch.cdist, and the aggregation by cdist too, from relu(a - z) = (a - z + |a - z|) / 2. A masked key
    gets an inhibition above every |value|, so that nothing of it passes.
    """
    length, keys, size = query.shape[2], key.shape[2], query.shape[3]
    scale, shift, output_scale = (x.view(1, -1, 1, 1) for x in (score_scale, shift, output_scale))
    s = torch.cdist(query, key, p=1) * (scale / math.sqrt(size))
    attended = None if key_mask is None else key_mask[:, None, None, :]
    if is_causal:
        lower = torch.ones(length, keys, dtype=torch.bool).tril(keys - length)
        attended = lower if attended is None else attended & lower
    count = keys if attended is None else attended.sum(-1, keepdim=True).clamp(min=1)
    if center == "all_keys" or (center == "attended_keys" and attended is None):
        s = s - s.mean(-1, keepdim=True)
    elif center == "attended_keys":
        s = s - (s * attended).sum(-1, keepdim=True) / count
    z = torch.relu(s + shift)
    if attended is not None:
        z = torch.where(attended, z, value.detach().abs().max() + 1)
    across = value.transpose(2, 3)
    if is_signed:
        out = (value.sum(2, keepdim=True) + torch.cdist(z, torch.relu(across), p=1)
               - torch.cdist(z, torch.relu(-across), p=1))
    else:
        out = value.sum(2, keepdim=True) - z.sum(-1, keepdim=True) + torch.cdist(z, across, p=1)
    out = 0.5 * output_scale * out
    return out / count if normalize_by_length else out
