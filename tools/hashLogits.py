"""Logits that are a hash of source and history: the same function as test/support/generation/fakeModel.ts (hashLogits)."""

import torch

MASK = 0xFFFFFFFF


def mix(x):
    """32-bit integer finalizer on int64 tensors."""
    x = ((x ^ (x >> 16)) * 0x7FEB352D) & MASK
    x = ((x ^ (x >> 15)) * 0x846CA68B) & MASK
    return x ^ (x >> 16)


def hash_ids(ids, seed):
    """ids [rows, length] and seed [rows] -> [rows]"""
    value = mix(seed)
    for column in range(ids.shape[1]):
        value = mix(value ^ (((ids[:, column] + 1) * 0x9E3779B1) & MASK))
    return value


def uniform(value, vocab_size):
    tokens = ((torch.arange(vocab_size) + 1) * 0x85EBCA6B) & MASK
    return mix(value[:, None] ^ tokens[None]).double() / 2**32


def hash_logits(source, history, vocab_size, ends, end_bias, seed):
    """source: hash of each row's source [rows]; history: ids, start token included [rows, length] -> [rows, vocab_size]"""
    whole = hash_ids(history, source)
    last = hash_ids(history[:, -1:], torch.full((len(source),), seed + 1))
    logits = 1.5 * uniform(whole, vocab_size) + 4.5 * uniform(last, vocab_size) - 3
    for token in ends:
        logits[:, token] += end_bias
    return logits.float()
