"""Build a tiny language model that talks nonsense: real format, real tokenizer, real chat template, no training.

    python tiny_model.py FOLDER [--context 8192] [--no-template]

Needs torch and transformers, which come with vLLM. The weights are random but for one direction, the same for every
token, which the last layer reads as how frequent each token is in the text below. So turns end after a sentence or
two, JSON strings close, and answers still depend on the prompt.
"""

from __future__ import annotations

import argparse
import os
from collections import Counter
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

TURNS = """
What would you like to look at today?
Something at work keeps going round in my head, and I do not know where to start.
Take your time. What happened first?
My manager asked me a question in the meeting and I could not say a word.
What went through your mind at that moment?
That everybody could see how little I know.
On a scale from 0 to 10, how much do you believe that now?
Perhaps a 7. In the meeting it was a 10.
What would you say to a friend who told you the same story?
I would say that one quiet minute is not the whole of a person.
How does it sound when you say it to yourself?
Strange, and a little kinder than usual.
Could we write both thoughts down and look at what speaks for each?
Yes, that would help me. On paper it is not as large as in my head.
Which small step would fit into this week?
I could ask one question in the next meeting, even a short one.
When is that, and what might get in the way?
On Thursday. I may get a dry mouth and want to leave the room.
And if that happens, what could you do then?
Drink some water, breathe out slowly, and read the question from my notes.
How have you slept since we last spoke?
A bit better. I still wake up early, but I do not look at the clock.
It sounds as if you have begun to trust that the night will pass by itself.
My sister noticed it too. She said I laughed at breakfast.
What did it mean to you that she saw it?
That I am not as alone with this as I thought.
Let us sum up what you take home from today.
A thought is a guess. I can test it before I believe it.
Thank you for your work. See you next week.
Thank you. Goodbye until then.
""".strip().splitlines()

VALUES = (
    '{"side":"client","level":0,"findings":[],"denial":false,"failed":false}',
    '{"technique":"reality_testing","focus":"I know too little","hypothesis":"I must be good","phase":"exploration"}',
    '{"reason":"one thought stands in front","word":"yes","subject":"self","time":"now","quote":"a dry mouth"}',
)
SPECIAL = ("<|start|>", "<|end|>", "<|pad|>")
TEMPLATE = (
    "{% for message in messages %}<|start|>{{ message['role'] }}\n{{ message['content'] }}<|end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|start|>assistant\n{% endif %}"
)
VOCABULARY, WIDTH, LAYERS, HEADS = 1024, 64, 2, 2


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("folder", type=Path)
    options.add_argument("--context", type=int, default=8192)
    options.add_argument("--no-template", action="store_true")
    given = options.parse_args()
    tokenizer = train_tokenizer(given.context)
    if not given.no_template:
        tokenizer.chat_template = TEMPLATE
    tokenizer.save_pretrained(given.folder)
    make_model(tokenizer, given.context).save_pretrained(given.folder)


def train_tokenizer(context: int) -> PreTrainedTokenizerFast:
    """Byte-level BPE over the text above, so that every string has tokens."""
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=list(SPECIAL),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    bpe.train_from_iterator([*TURNS, *VALUES] * 3, trainer)
    start, end, pad = SPECIAL
    return PreTrainedTokenizerFast(
        tokenizer_object=bpe, bos_token=start, eos_token=end, pad_token=pad, model_max_length=context
    )


def make_model(tokenizer: PreTrainedTokenizerFast, context: int) -> LlamaForCausalLM:
    """Random weights from a fixed seed, tilted towards the frequencies of the text.

    Channel 0 is 1 in every embedding and no layer writes to it; after the last norm it is about 0.16 everywhere.
    """
    torch.manual_seed(0)
    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(tokenizer),
            hidden_size=WIDTH,
            intermediate_size=2 * WIDTH,
            num_hidden_layers=LAYERS,
            num_attention_heads=HEADS,
            num_key_value_heads=HEADS,
            max_position_embeddings=context,
            initializer_range=0.2,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
            tie_word_embeddings=False,
        )
    )
    with torch.no_grad():
        model.model.embed_tokens.weight[:, 0] = 1.0
        for layer in model.model.layers:
            layer.self_attn.o_proj.weight[0] = 0.0
            layer.mlp.down_proj.weight[0] = 0.0
        model.lm_head.weight *= 0.4
        model.lm_head.weight[:, 0] = frequencies(tokenizer) / 0.16
    return model


def frequencies(tokenizer: PreTrainedTokenizerFast) -> torch.Tensor:
    """Logarithm of how often each token occurs in the text, with enough ends of turns and lists for answers to end."""
    seen = Counter(token for text in (*TURNS, *VALUES) for token in tokenizer.encode(text))
    seen[tokenizer.eos_token_id] = 10
    seen[tokenizer.convert_tokens_to_ids("]")] = 30
    return torch.tensor([seen[token] + 0.001 for token in range(len(tokenizer))]).log()


if __name__ == "__main__":
    main()
