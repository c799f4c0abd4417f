from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
import pytest

from counselgraph.errors import ConfigError
from counselgraph.memory import load_embedder

WORDS = ["[PAD]", "[UNK]", "sleep", "exam", "guitar", "band"]
DIMENSION = 4


def field(number: int, value: int | str | bytes | list[bytes]) -> bytes:
    """Encode one protobuf field; the ONNX file format is protobuf."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    payload = value.encode() if isinstance(value, str) else b"".join(value) if isinstance(value, list) else value
    return varint(number << 3 | 2) + varint(len(payload)) + payload


def varint(value: int) -> bytes:
    head = bytearray()
    while value > 0x7F:
        head.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*head, value])


def tensor_info(name: str, kind: int, shape: list[str | int]) -> bytes:
    dimensions = [field(1, field(2 if isinstance(size, str) else 1, size)) for size in shape]
    return field(1, name) + field(2, field(1, [field(1, kind), field(2, dimensions)]))


def lookup_model(table: np.ndarray) -> bytes:
    """An ONNX encoder that looks every token up in a table: MiniLM's inputs and outputs in 400 bytes."""
    weights = [field(1, size) for size in table.shape] + [field(2, 1), field(8, "table"), field(9, table.tobytes())]
    node = [field(1, "table"), field(1, "input_ids"), field(2, "states"), field(4, "Gather")]
    inputs = [
        field(11, tensor_info(name, 7, ["batch", "tokens"]))
        for name in ("input_ids", "attention_mask", "token_type_ids")
    ]
    output = field(12, tensor_info("states", 1, ["batch", "tokens", DIMENSION]))
    graph = [field(1, node), field(2, "lookup"), field(5, weights), *inputs, output]
    return b"".join([field(1, 8), field(7, graph), field(8, field(2, 13))])


@pytest.fixture
def model_folder(tmp_path: Path) -> Path:
    tokenizers = pytest.importorskip("tokenizers")
    pytest.importorskip("onnxruntime")
    model = tokenizers.models.WordLevel({word: number for number, word in enumerate(WORDS)}, unk_token="[UNK]")
    tokenizer = tokenizers.Tokenizer(model)
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    table = np.random.default_rng(1).standard_normal((len(WORDS), DIMENSION)).astype("<f4")
    (tmp_path / "model.onnx").write_bytes(lookup_model(table))
    return tmp_path


def test_the_default_is_lexical() -> None:
    assert load_embedder().name == load_embedder("lexical").name == "lexical-v1-512"


@pytest.mark.parametrize("name", ["", "openai", "lexical:big", "minilm", "minilm:"])
def test_unknown_names_are_refused_with_the_known_ones(name: str) -> None:
    with pytest.raises(ConfigError, match=r"Fix: .*`minilm:<folder>`"):
        load_embedder(name)


def test_missing_model_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"`model.onnx` and `tokenizer.json` not found in .*Fix: "):
        load_embedder(f"minilm:{tmp_path}")
    (tmp_path / "tokenizer.json").touch()
    with pytest.raises(ConfigError, match=r"`minilm`: `model.onnx` not found"):
        load_embedder(f"minilm:{tmp_path}")


def test_a_missing_package_names_the_extra(model_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tokenizers", None)
    with pytest.raises(ConfigError, match=r"'counselgraph\[minilm\]'"):
        load_embedder(f"minilm:{model_folder}")


@pytest.mark.parametrize("broken", ["model.onnx", "tokenizer.json"])
def test_unreadable_model_files_are_a_config_error(model_folder: Path, broken: str) -> None:
    (model_folder / broken).write_bytes(b"not a model")
    with pytest.raises(ConfigError, match="cannot be loaded"):
        load_embedder(f"minilm:{model_folder}")


def test_minilm_averages_its_tokens_without_the_padding(model_folder: Path) -> None:
    embed = load_embedder(f"minilm:{model_folder}")
    texts = ["sleep", "exam", "sleep exam", "sleep exam guitar band"]
    vectors = embed(texts)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-5)
    np.testing.assert_allclose(vectors, np.concatenate([embed([text]) for text in texts]), atol=1e-6)


def test_minilm_keeps_the_order_of_texts_across_batches(model_folder: Path) -> None:
    embed = load_embedder(f"minilm:{model_folder}")
    texts = ["sleep exam guitar band " * (n % 7) + "sleep" for n in range(150)]
    np.testing.assert_allclose(embed(texts)[[0, 77, 149]], embed([texts[0], texts[77], texts[149]]), atol=1e-6)


def test_minilm_handles_no_text_empty_text_and_long_text(model_folder: Path) -> None:
    embed = load_embedder(f"minilm:{model_folder}")
    assert embed([]).shape == (0, DIMENSION)
    np.testing.assert_array_equal(embed([""]), np.zeros((1, DIMENSION)))
    np.testing.assert_allclose(embed(["exam " * 10_000]), embed(["exam"]), atol=1e-6)


def test_minilm_is_named_by_dimension_and_content(model_folder: Path) -> None:
    first = load_embedder(f"minilm:{model_folder}").name
    table = np.ones((len(WORDS), DIMENSION), "<f4")
    (model_folder / "model.onnx").write_bytes(lookup_model(table))
    second = load_embedder(f"minilm:{model_folder}").name
    assert first.startswith("minilm-v1-4-")
    assert second.startswith("minilm-v1-4-")
    assert first != second


def test_a_real_minilm_joins_paraphrases() -> None:
    folder = os.environ.get("COUNSELGRAPH_MINILM")
    if not folder:
        pytest.skip("no MiniLM here: COUNSELGRAPH_MINILM is not set")
    texts = ["She cannot sleep.", "Her nights are restless.", "He bought a used guitar."]
    vectors = load_embedder(f"minilm:{folder}")(texts)
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2] + 0.2
