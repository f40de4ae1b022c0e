# SPDX-License-Identifier: Apache-2.0
"""A plain DistilBERT classifier with dot-product or inhibitor attention, and its folders.

The names of the state dict are those of the files, so a folder goes in and out without a table of names: `config.json`,
`model.safetensors` and `vocab.txt`, as the programs of this library and Hugging Face's tools read and write them.
"""
import json
import math
import pathlib
import shutil

import torch
import torch.nn.functional as F
from torch import nn

DEFAULTS = {
    "model_type": "distilbert", "vocab_size": 30522, "max_position_embeddings": 512, "n_layers": 6, "n_heads": 12,
    "dim": 768, "hidden_dim": 3072, "dropout": 0.1, "attention_dropout": 0.1, "seq_classif_dropout": 0.2,
    "initializer_range": 0.02, "pad_token_id": 0, "activation": "gelu",
    "attention_type": "dot_product",  # or "inhibitor", or a list with one per layer
    "inhibitor_center": "attended_keys", "inhibitor_signed": True, "inhibitor_normalize_by_length": False}


class Attention(nn.Module):
    def __init__(self, config, kind):
        super().__init__()
        self.config, self.kind = config, kind
        for name in ("q_lin", "k_lin", "v_lin", "out_lin"):
            self.add_module(name, nn.Linear(config["dim"], config["dim"]))
        if kind == "inhibitor":
            self.inhibitor_score_scale = nn.Parameter(torch.ones(config["n_heads"]))
            self.inhibitor_shift = nn.Parameter(torch.full((config["n_heads"],), 0.5))
            self.inhibitor_output_scale = nn.Parameter(torch.ones(config["n_heads"]))

    def forward(self, x, mask, inhibitor):
        rate = self.config["attention_dropout"] if self.training else 0.0
        # (B, L, C) as (B, H, L, D): a view.
        q, k, v = (linear(x).unflatten(-1, (self.config["n_heads"], -1)).transpose(1, 2)
                   for linear in (self.q_lin, self.k_lin, self.v_lin))
        if self.kind == "inhibitor":
            if rate > 0:  # whole keys, as in the authors' code
                mask = mask & (torch.rand(mask.shape) >= rate)
            context = inhibitor(q, k, v, self.inhibitor_score_scale, self.inhibitor_shift, self.inhibitor_output_scale,
                                key_mask=mask, center=self.config["inhibitor_center"],
                                is_signed=self.config["inhibitor_signed"],
                                normalize_by_length=self.config["inhibitor_normalize_by_length"])
        else:
            scores = (q / math.sqrt(q.shape[-1])) @ k.transpose(2, 3)
            weights = F.softmax(scores.masked_fill(~mask[:, None, None, :], -torch.inf), dim=-1)
            context = F.dropout(weights, rate) @ v
        return self.out_lin(context.transpose(1, 2).flatten(2))


class Layer(nn.Module):
    def __init__(self, config, kind):
        super().__init__()
        self.attention = Attention(config, kind)
        self.sa_layer_norm = nn.LayerNorm(config["dim"], eps=1e-12)
        self.ffn = nn.ModuleDict({"lin1": nn.Linear(config["dim"], config["hidden_dim"]),
                                  "lin2": nn.Linear(config["hidden_dim"], config["dim"])})
        self.output_layer_norm = nn.LayerNorm(config["dim"], eps=1e-12)
        self.dropout = nn.Dropout(config["dropout"])

    def forward(self, x, mask, inhibitor):
        x = self.sa_layer_norm(x + self.attention(x, mask, inhibitor))
        y = self.ffn["lin2"](F.gelu(self.ffn["lin1"](x)))
        return self.output_layer_norm(x + self.dropout(y))


class DistilBert(nn.Module):
    """`inhibitor` computes inhibitor layers: inhibitor_torch.attention or inhibitor_torch.cdist_attention."""

    def __init__(self, config, inhibitor=None):
        super().__init__()
        self.config = {**DEFAULTS, **config}
        if self.config["model_type"] != "distilbert" or self.config["activation"] != "gelu":
            raise ValueError("only models of the type distilbert with the activation gelu are known")
        self.inhibitor = inhibitor
        c = self.config
        kinds = c["attention_type"] if isinstance(c["attention_type"], list) else [c["attention_type"]] * c["n_layers"]
        self.distilbert = nn.ModuleDict({
            "embeddings": nn.ModuleDict({
                "word_embeddings": nn.Embedding(c["vocab_size"], c["dim"], padding_idx=c["pad_token_id"]),
                "position_embeddings": nn.Embedding(c["max_position_embeddings"], c["dim"]),
                "LayerNorm": nn.LayerNorm(c["dim"], eps=1e-12)}),
            "transformer": nn.ModuleDict({"layer": nn.ModuleList(Layer(c, kind) for kind in kinds)})})
        self.pre_classifier = nn.Linear(c["dim"], c["dim"])
        self.classifier = nn.Linear(c["dim"], len(c.get("id2label", ())) or c.get("num_labels", 2))
        for module in self.modules():
            if isinstance(module, (nn.Linear, nn.Embedding)):
                nn.init.normal_(module.weight, std=c["initializer_range"])
            if isinstance(module, nn.Linear):
                nn.init.zeros_(module.bias)

    def hidden_states(self, input_ids, attention_mask=None):
        """(B, L, C) each: the embeddings, then the output of every layer. attention_mask (B, L): not 0 for tokens."""
        mask = torch.ones_like(input_ids, dtype=torch.bool) if attention_mask is None else attention_mask != 0
        e = self.distilbert["embeddings"]
        x = e["word_embeddings"](input_ids) + e["position_embeddings"].weight[:input_ids.shape[1]]
        states = [F.dropout(e["LayerNorm"](x), self.config["dropout"], self.training)]
        for layer in self.distilbert["transformer"]["layer"]:
            states.append(layer(states[-1], mask, self.inhibitor))
        return states

    def classify(self, hidden):
        """Logits (B, labels) from the last hidden states."""
        pooled = F.relu(self.pre_classifier(hidden[:, 0]))
        return self.classifier(F.dropout(pooled, self.config["seq_classif_dropout"], self.training))

    def forward(self, input_ids, attention_mask=None):
        return self.classify(self.hidden_states(input_ids, attention_mask)[-1])


DTYPES = {"F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16, "I64": torch.int64,
          "I32": torch.int32, "U8": torch.uint8, "BOOL": torch.bool}


def read_safetensors(path):
    """The tensors of a file by name: a length (8 bytes), that much JSON, the numbers."""
    with open(path, "rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        numbers = bytearray(file.read())
    header.pop("__metadata__", None)
    tensors = {}
    for name, entry in header.items():
        dtype, shape, (begin, end) = DTYPES[entry["dtype"]], entry["shape"], entry["data_offsets"]
        flat = torch.frombuffer(numbers, dtype=dtype, count=math.prod(shape), offset=begin) if end > begin else (
            torch.empty(0, dtype=dtype))
        tensors[name] = flat.reshape(shape)
    return tensors


def write_safetensors(path, tensors):
    header, end = {}, 0
    tensors = {name: t.detach().contiguous() for name, t in tensors.items()}
    for name, t in tensors.items():
        begin, end = end, end + t.numel() * t.element_size()
        dtype = next(key for key, value in DTYPES.items() if value == t.dtype)
        header[name] = {"dtype": dtype, "shape": list(t.shape), "data_offsets": [begin, end]}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for t in tensors.values():
            file.write(t.flatten().view(torch.uint8).numpy())


def load_folder(folder, inhibitor=None):
    """The classifier of a folder. Tensors that it has no use for, a masked-LM head say, are left out."""
    folder = pathlib.Path(folder)
    model = DistilBert(json.loads((folder / "config.json").read_text()), inhibitor)
    missing = model.load_state_dict(read_safetensors(folder / "model.safetensors"), strict=False).missing_keys
    if missing:
        raise ValueError(f"{folder / 'model.safetensors'} has no {', '.join(missing)}")
    return model


def save_folder(model, folder, vocab=None):
    """Writes what load_folder reads, and a copy of the vocabulary, which the programs of this library want."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    write_safetensors(folder / "model.safetensors", model.state_dict())
    config = {"architectures": ["DistilBertForSequenceClassification"], "num_labels": model.classifier.out_features,
              **model.config}
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    if vocab is not None:
        shutil.copyfile(vocab, folder / "vocab.txt")
