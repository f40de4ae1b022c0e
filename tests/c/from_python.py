#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""from_python.py <libinhibitor.so>: the C interface called by ctypes, against the formula written out."""

import ctypes
import math
import random
import sys
from ctypes import POINTER, byref, c_char_p, c_float, c_int, c_int32, c_size_t, c_ssize_t, c_ubyte, c_void_p

floats = POINTER(c_float)


class Tensor(ctypes.Structure):
    _fields_ = [("data", floats), ("batch_stride", c_ssize_t), ("row_stride", c_ssize_t), ("head_stride", c_ssize_t)]


class Shape(ctypes.Structure):
    _fields_ = [(name, c_ssize_t) for name in "batch heads queries keys head_size value_size kv_heads".split()] + [
        ("query_starts", POINTER(c_int32)), ("key_starts", POINTER(c_int32)), ("rows", c_void_p)]


class Mechanism(ctypes.Structure):
    _fields_ = [(name, c_int32) for name in "kind center is_unsigned normalize_by_length skip_inhibited".split()] + [
        (name, floats) for name in "score_scale shift output_scale".split()]


def main():
    library = ctypes.CDLL(sys.argv[1])
    for name in "inhibitor_status_text inhibitor_version inhibitor_active_isa".split():
        getattr(library, name).restype = c_char_p
    library.inhibitor_workspace_size.argtypes = [POINTER(c_size_t), c_int32, POINTER(Shape), c_ssize_t]
    forward = library.inhibitor_attention_forward
    forward.restype = c_int
    forward.argtypes = [POINTER(Tensor)] * 4 + [POINTER(Shape), c_void_p, POINTER(Mechanism), c_void_p, c_size_t, c_void_p]

    H, L, S, D, Dv = 2, 3, 5, 4, 3
    random.seed(7)

    def array(n):
        return (c_float * n)(*(random.uniform(-1, 1) for _ in range(n)))

    def tensor(data, rows, width):
        return Tensor(ctypes.cast(data, floats), rows * H * width, H * width, width)

    q, k, v, out = array(L * H * D), array(S * H * D), array(S * H * Dv), (c_float * (L * H * Dv))()
    gamma, delta, eta = array(H), array(H), array(H)
    shape = Shape(1, H, L, S, D, Dv, 0, None, None, None)
    mechanism = Mechanism(0, 0, 0, 0, 0, *(ctypes.cast(x, floats) for x in (gamma, delta, eta)))
    size = c_size_t()
    assert library.inhibitor_workspace_size(byref(size), 0, byref(shape), 1) == 0
    workspace = (c_ubyte * size.value)()

    def call(to):
        return forward(byref(to), byref(tensor(q, L, D)), byref(tensor(k, S, D)), byref(tensor(v, S, Dv)), byref(shape),
                       None, byref(mechanism), workspace, size.value, None)

    status = call(tensor(out, L, Dv))
    assert status == 0, library.inhibitor_status_text(status)
    for h in range(H):
        for i in range(L):
            scores = [gamma[h] / math.sqrt(D) * sum(abs(q[(i * H + h) * D + d] - k[(j * H + h) * D + d]) for d in range(D))
                      for j in range(S)]
            mean = sum(scores) / S
            for c in range(Dv):
                values = [v[(j * H + h) * Dv + c] for j in range(S)]
                expected = eta[h] * sum(math.copysign(max(abs(x) - max(s - mean + delta[h], 0), 0), x)
                                        for x, s in zip(values, scores))
                assert abs(out[(i * H + h) * Dv + c] - expected) < 1e-5, (h, i, c)
    assert library.inhibitor_status_text(call(Tensor())) == b"a null pointer where the shape is not empty"
    print("libinhibitor", library.inhibitor_version().decode(), "on", library.inhibitor_active_isa().decode())


main()
