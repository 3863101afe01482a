import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadSentencePiece, loadSentencePieceFile, setSentencePieceModule } from './sentencePiece.js';
import { decodePieces } from './sentencePieceModel.js';
import {
  fixtures,
  readFixture,
  strings,
  temporaryDirectory,
  tokenizerContract,
  useDisk,
} from './tokenizer.contract.js';

interface T5Expected {
  texts: string[];
  ids: number[][];
  decoded: string[];
  pair: number[];
  size: number;
}

interface Expected {
  ids: number[][];
  pieces: string[][];
  randomPieces: string[][];
  decodedPieces: string[];
}

tokenizerContract('T5', () => loadSentencePiece(`${fixtures}/t5`), true);
tokenizerContract('BertGeneration', () => loadSentencePiece(`${fixtures}/bertGeneration`), true);

describe('SentencePiece', () => {
  beforeAll(useDisk);

  it("encodes as transformers' T5Tokenizer, sentinels included", async () => {
    const expected = readFixture<T5Expected>('t5/expected.json');
    const tokenizer = await loadSentencePiece(`${fixtures}/t5`);
    expect(tokenizer.vocabSize).toBe(expected.size);
    const encoded = await tokenizer.encodeBatch(expected.texts);
    expect(encoded.map(({ ids }) => ids)).toEqual(expected.ids);
    expect(await tokenizer.decodeBatch(expected.ids)).toEqual(expected.decoded);
    expect((await tokenizer.encode('The editor', { pair: 'opens' })).ids).toEqual(expected.pair);
  });

  it("encodes as transformers' BertGenerationTokenizer and as Python's sentencepiece", async () => {
    const expected = readFixture<Expected>('bertGeneration/expected.json');
    const tokenizer = await loadSentencePiece(`${fixtures}/bertGeneration`);
    const { encoder, model } = await loadSentencePieceFile(`${fixtures}/bertGeneration/spiece.model`);
    const encoded = await tokenizer.encodeBatch(strings);
    for (const [at, text] of strings.entries()) {
      expect(encoded[at].ids, JSON.stringify(text)).toEqual(expected.ids[at]);
      expect(encoder.encodePieces(text), JSON.stringify(text)).toEqual(expected.pieces[at]);
    }
    for (const [at, pieces] of expected.randomPieces.entries()) {
      expect(decodePieces(pieces, model)).toBe(expected.decodedPieces[at]);
    }
  });

  it('gives back text that it spelled with bytes', async () => {
    const tokenizer = await loadSentencePiece(`${fixtures}/bertGeneration`);
    const { ids } = await tokenizer.encode('œuvre 🤗 中');
    expect(await tokenizer.decode(ids)).toBe('œuvre 🤗 中');
  });

  it("leaves the process's handling of errors alone", async () => {
    const listeners = () =>
      process.rawListeners('uncaughtException').concat(process.rawListeners('unhandledRejection'));
    const before = listeners();
    await loadSentencePiece(`${fixtures}/t5`);
    expect(listeners()).toEqual(before);
  });

  it('refuses a truncated model, a class with ids of its own, and a missing runtime', async () => {
    const directory = temporaryDirectory();
    cpSync(`${fixtures}/t5`, directory, { recursive: true });
    const whole = readFileSync(`${directory}/spiece.model`);
    for (const bytes of [whole.subarray(0, whole.length - 40), Buffer.from('<html>'), Buffer.alloc(0)]) {
      writeFileSync(`${directory}/spiece.model`, bytes);
      await expect(loadSentencePiece(directory)).rejects.toThrow(
        /spiece\.model is not a whole SentencePiece model/,
      );
    }
    writeFileSync(`${directory}/tokenizer_config.json`, '{"tokenizer_class": "XLMRobertaTokenizer"}');
    await expect(loadSentencePiece(directory)).rejects.toThrow(
      /XLMRobertaTokenizer, whose ids .* add its tokenizer\.json/,
    );
    setSentencePieceModule(undefined);
    await expect(loadSentencePiece(`${fixtures}/t5`)).rejects.toMatchObject({ code: 'RUNTIME_MISSING' });
    useDisk();
  });
});
