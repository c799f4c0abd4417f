"""Write a tiny GGUF model that talks nonsense: random weights, one token a byte, the chat template of the other one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from gguf import GGUFWriter, TokenType
from numpy.typing import NDArray

TEMPLATE = (
    "{% for message in messages %}<|start|>{{ message['role'] }}\n{{ message['content'] }}<|end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|start|>assistant\n{% endif %}"
)
COMMON = "eeeeettttaaaooiinnsshhrrddllu      ,."
WORDS = (
    "the and you that they what their with this have not one can could would about when which from for was are said "
    "say says session client counselor thought feeling plan step words turn answer never next person life work"
)
SPECIAL = ("<|start|>", "<|end|>")
WIDTH, LAYERS, HEADS, CONTEXT = 64, 2, 2, 8192


def write_gguf(file: Path) -> Path:
    """Write the model; the same bytes every time."""
    merges = merges_of(WORDS.split())
    tokens = [*byte_tokens(), *("".join(merge) for merge in merges), *SPECIAL]
    writer = GGUFWriter(file, "llama")
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(2 * WIDTH)
    writer.add_head_count(HEADS)
    writer.add_layer_norm_rms_eps(1e-6)
    writer.add_rope_dimension_count(WIDTH // HEADS)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(tokens)
    writer.add_token_types([TokenType.NORMAL] * (len(tokens) - len(SPECIAL)) + [TokenType.CONTROL] * len(SPECIAL))
    writer.add_token_merges([" ".join(merge) for merge in merges])
    writer.add_bos_token_id(tokens.index("<|start|>"))
    writer.add_eos_token_id(tokens.index("<|end|>"))
    writer.add_add_bos_token(False)
    writer.add_chat_template(TEMPLATE)
    for name, tensor in weights(tokens).items():
        writer.add_tensor(name, tensor)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return file


def byte_tokens() -> list[str]:
    """A printable character for every byte, as byte-level BPE names them."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = (value for value in range(256) if value not in plain)
    names = {value: chr(value) for value in plain} | {value: chr(256 + at) for at, value in enumerate(others)}
    return [names[value] for value in range(256)]


def merges_of(words: list[str]) -> list[tuple[str, str]]:
    """How words with a space before them are put together, a letter at a time; shared beginnings once."""
    pairs = ((f"Ġ{word[:at]}", word[at]) for word in words for at in range(len(word)))
    return list(dict.fromkeys(pairs))


def weights(tokens: list[str]) -> dict[str, NDArray[np.float32]]:
    """Random weights, tilted towards common letters: channel 0 is 1 in every embedding, and no layer writes to it."""
    draw = np.random.default_rng(0)

    def some(*shape: int) -> NDArray[np.float32]:
        return draw.normal(0, 0.1, shape).astype(np.float32)

    found = {"token_embd.weight": some(len(tokens), WIDTH), "output.weight": some(len(tokens), WIDTH)}
    found["token_embd.weight"][:, 0] = 1
    found["output.weight"][:, 0] = np.log([often(token) for token in tokens])
    found["output_norm.weight"] = np.ones(WIDTH, np.float32)
    for layer in range(LAYERS):
        block = {f"attn_{part}": some(WIDTH, WIDTH) for part in ("q", "k", "v", "output")}
        block |= {
            "ffn_gate": some(2 * WIDTH, WIDTH),
            "ffn_up": some(2 * WIDTH, WIDTH),
            "ffn_down": some(WIDTH, 2 * WIDTH),
        }
        block |= {"attn_norm": np.ones(WIDTH, np.float32), "ffn_norm": np.ones(WIDTH, np.float32)}
        block["attn_output"][0] = block["ffn_down"][0] = 0
        found |= {f"blk.{layer}.{part}.weight": tensor for part, tensor in block.items()}
    return found


def often(token: str) -> float:
    """How often a token should come: letters by their frequency, quotes and brackets often enough to close."""
    if token in SPECIAL:
        return 1.0 if token == "<|end|>" else 1e-4
    return COMMON.count(" " if token == "Ġ" else token) or {'"': 4.0, "]": 30.0, "}": 1.0}.get(
        token, 0.1 if token[1:] in WORDS.split() else 1e-3
    )
