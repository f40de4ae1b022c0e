#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""pytorch.py <examples/torch> <make_model> <inspect> <classify> <examples/data> <scratch folder>

The operator of examples/torch: values against the formula written out, gradients by gradcheck, layouts, threads,
errors; then model folders to and from the programs, and the page about it. INHIBITOR_TORCH_BUILD says where the operator
is compiled.
"""
import itertools
import math
import os
import pathlib
import shutil
import subprocess
import sys
import unittest

import torch

example, make_model, inspect, classify, data, scratch = sys.argv[1:7]
sys.path.insert(0, example)
import distilbert  # noqa: E402
import inhibitor_torch  # noqa: E402

attention = inhibitor_torch.attention
# B 2, H 2, L 3, S 5, D 3, Dv 2. The second sequence of the batch has padding and a hole.
B, H, L, S, D, DV = 2, 2, 3, 5, 3, 2
KEY_MASK = torch.tensor([[True] * 5, [True, False, True, True, False]])
OPTIONS = [dict(center=center, is_signed=is_signed, normalize_by_length=by_length, key_mask=key_mask,
                is_causal=is_causal)
           for center, is_signed, by_length, key_mask, is_causal in itertools.product(
               ("none", "attended_keys", "all_keys"), (True, False), (True, False), (None, KEY_MASK), (True, False))]


def name_of(options):
    return ", ".join(f"{key} {value}" if key != "key_mask" else f"mask {value is not None}"
                     for key, value in options.items())


def inhibition(q, k, v, score_scale, shift, output_scale, *, key_mask=None, is_causal=False, center="attended_keys",
               **_):
    """s + delta before the ReLU, (B, H, L, S), and which keys are attended to."""
    s = (q[:, :, :, None] - k[:, :, None]).abs().sum(-1) * score_scale.view(1, -1, 1, 1) / math.sqrt(q.shape[-1])
    attended = torch.ones_like(s, dtype=torch.bool)
    if key_mask is not None:
        attended = attended & key_mask[:, None, None, :]
    if is_causal:
        attended = attended & torch.ones(s.shape[-2:]).tril(s.shape[-1] - s.shape[-2]).bool()
    if center == "all_keys":
        s = s - s.mean(-1, keepdim=True)
    elif center == "attended_keys":
        s = s - (s * attended).sum(-1, keepdim=True) / attended.sum(-1, keepdim=True).clamp(min=1)
    return s + shift.view(1, -1, 1, 1), attended


def formula(q, k, v, *scalars, is_signed=True, normalize_by_length=False, **options):
    s, attended = inhibition(q, k, v, *scalars, **options)
    z, values = torch.relu(s)[..., None], v[:, :, None]
    passed = torch.sign(values) * torch.relu(values.abs() - z) if is_signed else torch.relu(values - z)
    out = scalars[2].view(1, -1, 1, 1) * (passed * attended[..., None]).sum(3)
    return out / attended.sum(-1, keepdim=True).clamp(min=1) if normalize_by_length else out


def distance_to_kink(inputs, options):
    """Of the places where the function has no derivative: q = k, s + delta = 0 and |v| = z (unsigned: v = z)."""
    q, k, v = inputs[:3]
    s, _ = inhibition(*inputs, **options)
    values = v.abs() if options.get("is_signed", True) else v
    return min((q[:, :, :, None] - k[:, :, None]).abs().min(), s.abs().min(),
               (values[:, :, None] - torch.relu(s)[..., None]).abs().min()).item()


def draw(options=None, dtype=torch.float64, seed=0, kv_heads=H, queries=L, keys=S):
    """Random inputs; with options, drawn again until none is within 1e-3 of a kink, where gradcheck moves by 1e-6."""
    generator = torch.Generator().manual_seed(seed)

    def numbers(*shape):
        return torch.randn(*shape, dtype=dtype, generator=generator)
    while True:
        inputs = [numbers(B, H, queries, D), numbers(B, kv_heads, keys, D), numbers(B, kv_heads, keys, DV),
                  1 + 0.2 * numbers(H), 0.2 + 0.2 * numbers(H), 1 + 0.2 * numbers(H)]
        if options is None or distance_to_kink(inputs, options) > 1e-3:
            return inputs


def leaves(inputs):
    return [x.clone().requires_grad_() for x in inputs]


class Operator(unittest.TestCase):
    def test_values_are_those_of_the_formula(self):
        for options, (dtype, tolerance) in itertools.product(OPTIONS, ((torch.float32, 1e-5), (torch.float64, 1e-13))):
            with self.subTest(name_of(options)):
                inputs = draw(dtype=dtype)
                expected = formula(*inputs, **options)
                for form in (attention, inhibitor_torch.cdist_attention):
                    out = form(*inputs, **options)
                    self.assertEqual(out.dtype, dtype)
                    torch.testing.assert_close(out, expected, rtol=tolerance, atol=tolerance)

    def test_gradients(self):
        for options in OPTIONS:
            with self.subTest(name_of(options)):
                inputs = leaves(draw(options))
                self.assertTrue(torch.autograd.gradcheck(lambda *x: attention(*x, **options), inputs))

    def test_gradients_of_other_shapes(self):
        self.assertTrue(torch.autograd.gradcheck(attention, leaves(draw({}, queries=1, keys=1))))
        q, k, v, *scalars = draw({})
        for x in (k, v):  # both query heads use the first key/value head
            x[:, 1] = x[:, 0]
        few = leaves([q, k[:, :1], v[:, :1], *scalars])
        torch.testing.assert_close(attention(*few), formula(q, k, v, *scalars))
        self.assertTrue(torch.autograd.gradcheck(attention, few))
        nothing = torch.zeros(B, S, dtype=torch.bool)
        inputs = leaves(draw())
        attention(*inputs, key_mask=nothing).sum().backward()
        self.assertTrue(all((x.grad == 0).all() for x in inputs))
        self.assertEqual(attention(*draw(queries=0)).shape, (B, H, 0, DV))

    def test_gradients_in_float(self):
        exact = leaves(draw({}))
        single = leaves([x.detach().float() for x in exact])
        for inputs in (exact, single):
            attention(*inputs).square().sum().backward()
        for x, y in zip(single, exact):
            torch.testing.assert_close(x.grad, y.grad.float(), rtol=1e-4, atol=1e-5)

    def test_only_what_is_asked_for(self):
        inputs = draw()
        inputs[2].requires_grad_()
        attention(*inputs).sum().backward()
        self.assertIsNotNone(inputs[2].grad)
        self.assertIsNone(inputs[0].grad)
        with torch.no_grad():
            self.assertFalse(attention(*inputs).requires_grad)

    def test_layouts(self):
        inputs = draw()
        expected, grad = attention(*inputs), torch.randn(B, H, L, DV, dtype=torch.float64)
        gradients = torch.autograd.grad(attention(*(x.requires_grad_() for x in inputs)), inputs, grad)
        self.assertTrue(expected.is_contiguous())

        def rows_of_heads(x):  # (B, L, H, D) in memory
            return x.transpose(1, 2).contiguous().transpose(1, 2)

        def part_of_a_row(x):  # q, k and v of one product
            return torch.cat([x, x], -1)[..., :x.shape[-1]]

        def gaps_in_a_row(x):
            return torch.stack([x, x], -1)[..., 0]
        for layout in (rows_of_heads, part_of_a_row, gaps_in_a_row):
            with self.subTest(layout.__name__):
                given = [layout(x.detach()).requires_grad_() for x in inputs[:3]] + inputs[3:]
                out = attention(*given)
                self.assertTrue(torch.equal(out, expected))
                self.assertEqual(out.transpose(1, 2).is_contiguous(), layout is rows_of_heads)
                for found, wanted in zip(torch.autograd.grad(out, given, layout(grad)), gradients):
                    self.assertTrue(torch.equal(found, wanted))
        one = inputs[0].detach()[:1].expand(B, -1, -1, -1)
        self.assertTrue(torch.equal(attention(one, *inputs[1:]), attention(one.clone(), *inputs[1:])))

    def test_threads_change_nothing(self):
        inputs, found = leaves(draw()), []
        for threads in (1, 2, 5):
            torch.set_num_threads(threads)
            out = attention(*inputs)
            found.append([out, *torch.autograd.grad(out.sum(), inputs)])
        torch.set_num_threads(1)
        for other in found[1:]:
            self.assertTrue(all(torch.equal(x, y) for x, y in zip(found[0], other)))

    def test_shapes_alone(self):
        inputs = [x.to("meta").requires_grad_() for x in draw()]
        out = attention(*inputs)
        self.assertEqual((out.shape, out.device.type), ((B, H, L, DV), "meta"))
        for x, g in zip(inputs, torch.autograd.grad(out.sum(), inputs)):
            self.assertEqual(x.shape, g.shape)

    def test_errors(self):
        def refuse(text, change=None, **options):
            inputs = draw()
            if change is not None:
                index, value = change
                inputs[index] = value(inputs[index])
            with self.assertRaisesRegex(RuntimeError, text):
                attention(*inputs, **options)
        refuse(r"query has the shape \[2, 2, 9\]; expected \(B, H, L, D\)", (0, lambda x: x.flatten(2)))
        refuse(r"key has the shape \[2, 2, 5, 2\]; expected \[2, 2, 5, 3\]", (1, lambda x: x[..., :2]))
        refuse(r"key has the shape \[1, ", (1, lambda x: x[:1]))
        refuse(r"value has the shape \[2, 2, 4, 2\]; expected \[2, 2, 5, 2\]", (2, lambda x: x[:, :, 1:]))
        refuse("3 heads, which does not divide the 2", (1, lambda x: x[:, [0, 1, 1]]))
        refuse("0 heads, which does not divide the 2", (1, lambda x: x[:, :0]))
        refuse("size of at least 1", (0, lambda x: x[..., :0]))
        refuse(r"shift has the shape \[1\]; expected \[2\], one number for each head", (4, lambda x: x[:1]))
        refuse("value is Float and query Double", (2, lambda x: x.float()))
        refuse("query is Half; expected Float or Double", (0, lambda x: x.half()))
        refuse("score_scale is Float and query Double", (3, lambda x: x.float()))
        refuse("is on", (1, lambda x: x.to("meta")))
        refuse("is on", (5, lambda x: x.to("meta")))
        refuse("key_mask is Long; expected Bool", key_mask=KEY_MASK.long())
        refuse(r"key_mask has the shape \[2, 4\]; expected \[2, 5\], \(B, S\)", key_mask=KEY_MASK[:, 1:])
        refuse('center is "middle"; expected "attended_keys"', center="middle")
        endless = [x[:1, :1, :1, :1] for x in draw()[:3]]
        endless[1:] = (x.expand(1, 1, 2**31 + 1, 1) for x in endless[1:])
        with self.assertRaisesRegex(RuntimeError, r"none above 2\^31; got B 1, H 1, L 1"):
            attention(*endless, *(x[:1] for x in draw()[3:]))
        inputs = leaves(draw())
        with self.assertRaisesRegex(RuntimeError, "no second derivatives"):
            torch.autograd.grad(attention(*inputs).sum(), inputs, create_graph=True)


class Folders(unittest.TestCase):
    """Model folders to and from the programs."""

    def run_program(self, *command):
        done = subprocess.run([str(x) for x in command], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, f"{command}: {done.stdout}{done.stderr}")
        return done.stdout

    def agree(self, model, folder, name):
        """Hidden states and logits are those of the programs."""
        dump, ours = scratch / f"{name}.safetensors", scratch / f"{name}.torch.safetensors"
        self.run_program(inspect, "dump", "--model", folder, "--text", "the plot is tedious", "--out", dump)
        ids = distilbert.read_safetensors(dump)["input_ids"].long()
        states = model.hidden_states(ids)
        tensors = {f"hidden_states.{i}": x for i, x in enumerate(states)}
        distilbert.write_safetensors(ours, {**tensors, "logits": model.classify(states[-1])})
        report = self.run_program(inspect, "compare", dump, ours)
        self.assertIn("agree", report)
        return dump

    def test_a_folder_of_the_programs(self):
        for kind in ("inhibitor", "dot_product"):
            folder = scratch / kind
            self.run_program(make_model, folder, vocab, f"attention={kind}", "labels=3")
            self.agree(distilbert.load_folder(folder, attention).eval(), folder, kind)

    def test_a_folder_of_pytorch(self):
        torch.manual_seed(1)
        config = dict(vocab_size=len(vocab.read_text().splitlines()), max_position_embeddings=32, n_layers=3, n_heads=4,
                      dim=24, hidden_dim=40, initializer_range=0.5, num_labels=2, inhibitor_center="all_keys",
                      attention_type=["inhibitor", "dot_product", "inhibitor"], inhibitor_normalize_by_length=True)
        model = distilbert.DistilBert(config, attention).eval()
        for name, x in model.named_parameters():
            if "inhibitor_" in name:
                torch.nn.init.uniform_(x, 0.3, 1.2)
        folder = scratch / "trained"
        distilbert.save_folder(model, folder, vocab)
        dump = self.agree(model, folder, "trained")
        self.assertIn("inhibitor_shift", self.run_program(inspect, "tensors", folder))
        answers = scratch / "answers.safetensors"
        text = scratch / "texts.txt"
        text.write_text("the plot is tedious\n")
        self.run_program(classify, "--model", folder, text, "--output", "safetensors", "--out", answers)
        torch.testing.assert_close(distilbert.read_safetensors(answers)["logits"],
                                   distilbert.read_safetensors(dump)["logits"])
        again = distilbert.load_folder(folder, attention)
        self.assertTrue(all(torch.equal(x, again.state_dict()[name]) for name, x in model.state_dict().items()))

    def test_a_folder_without_a_tensor(self):
        folder = scratch / "masked_lm"
        self.run_program(make_model, folder, vocab, "heads=masked_lm")
        with self.assertRaisesRegex(ValueError, "has no pre_classifier.weight"):
            distilbert.load_folder(folder)


class Training(unittest.TestCase):
    def test_steps_are_those_of_the_cdist_form(self):
        config = dict(vocab_size=60, max_position_embeddings=16, n_layers=2, n_heads=2, dim=16, hidden_dim=24,
                      attention_type="inhibitor", initializer_range=0.3, dropout=0.0, attention_dropout=0.0,
                      seq_classif_dropout=0.0)
        torch.manual_seed(3)
        ids, labels = torch.randint(1, 60, (4, 9)), torch.tensor([0, 1, 1, 0])
        mask = torch.arange(9) < torch.tensor([[9], [4], [7], [1]])
        losses = []
        for form in (attention, inhibitor_torch.cdist_attention):
            torch.manual_seed(4)
            model = distilbert.DistilBert(config, form).double()
            optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
            for _ in range(5):
                optimizer.zero_grad()
                loss = torch.nn.functional.cross_entropy(model(ids, mask), labels)
                loss.backward()
                optimizer.step()
                losses.append(loss.item())
        self.assertLess(losses[4], losses[0])
        for ours, theirs in zip(losses[:5], losses[5:]):
            self.assertAlmostEqual(ours, theirs, places=9)


class Page(unittest.TestCase):
    """docs/pytorch.md: its code runs, and its tables are those of the raw results."""

    def test_code(self):
        operator, folders = (block.split("```")[0] for block in page.read_text().split("```python\n")[1:])
        names = {}
        exec(operator, names)
        self.assertEqual(names["q"].shape, names["out"].shape)
        subprocess.run([make_model, scratch / "student", vocab, "attention=inhibitor"], check=True)
        exec(folders.replace("runs/sst2/E2", str(scratch / "student")).replace("tuned", str(scratch / "tuned")), {})
        self.assertTrue((scratch / "tuned" / "vocab.txt").exists())

    def benchmark(self, *options):
        subprocess.run([sys.executable, page.parents[1] / "examples/torch/benchmark.py", *options], check=True,
                       stdout=subprocess.DEVNULL)

    def test_tables(self):
        again = scratch / "page.md"
        shutil.copyfile(page, again)
        self.benchmark("--page-only", "--page", again)
        self.assertEqual(again.read_text(), page.read_text())

    def test_a_small_benchmark(self):
        again = scratch / "small.md"
        shutil.copyfile(page, again)
        self.benchmark("--page", again, "--raw", scratch / "small.json", "--layers", "1", "--dim", "16", "--heads", "2",
                       "--hidden-dim", "24", "--vocab-size", "50", "--batch", "2", "--step-length", "8",
                       "--lengths", "16", "--repetitions", "1")
        self.assertIn("| training step | 8 | 2 |", again.read_text())


if __name__ == "__main__":
    scratch, vocab = pathlib.Path(scratch), pathlib.Path(data) / "vocab.txt"
    page = pathlib.Path(example).resolve().parents[1] / "docs" / "pytorch.md"
    shutil.rmtree(scratch, ignore_errors=True)
    os.makedirs(scratch)
    unittest.main(argv=sys.argv[:1])
