import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  loadSentencePiece,
  loadSentencePieceFile,
  type SentencePieceModule,
  setSentencePieceModule,
} from './sentencePiece.js';
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

/** Throws what WebAssembly throws of C++: the address of an exception. */
function fail(address: number): never {
  throw address;
}

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

  it('refuses a model that parses and that SentencePiece itself refuses', async () => {
    const directory = temporaryDirectory();
    cpSync(`${fixtures}/t5`, directory, { recursive: true });
    const whole = readFileSync(`${directory}/spiece.model`);
    // Places where one flipped bit gave a tokenizer without tokens.
    for (const at of [150, 158, 182, 190, 192]) {
      const bytes = Uint8Array.from(whole);
      bytes[at] ^= 1 << (at % 8);
      writeFileSync(`${directory}/spiece.model`, bytes);
      await expect(loadSentencePiece(directory)).rejects.toMatchObject({
        code: 'TOKENIZER_INVALID',
        message: expect.stringMatching(/spiece\.model is not a whole SentencePiece model/),
        cause: expect.any(Error),
      });
    }
  });

  it('takes the class from config.json where tokenizer_config.json names none, and else by model_type', async () => {
    const encode = async (config: object, settings: object = {}) => {
      const directory = temporaryDirectory();
      cpSync(`${fixtures}/t5/spiece.model`, `${directory}/spiece.model`);
      writeFileSync(`${directory}/config.json`, JSON.stringify(config));
      writeFileSync(`${directory}/tokenizer_config.json`, JSON.stringify(settings));
      return (await (await loadSentencePiece(directory)).encode('The file')).ids;
    };
    // transformers 5.23.
    const t5 = [38, 4, 10, 12, 4, 1];
    expect(await encode({ model_type: 't5' })).toEqual(t5);
    expect(await encode({ model_type: 'mt5', tokenizer_class: 'T5TokenizerFast' })).toEqual(t5);
    expect(await encode({ model_type: 'bert', tokenizer_class: 'T5Tokenizer' })).toEqual(t5);
    expect(await encode({ model_type: 'encoder-decoder', encoder: { model_type: 't5' } })).toEqual(t5);
    expect(await encode({ model_type: 'bert-generation' })).toEqual(t5.slice(0, -1));
    expect(await encode({ model_type: 'marian' })).toEqual(t5.slice(0, -1));
    await expect(encode({ model_type: 'pegasus' })).rejects.toThrow(
      /belongs to a PegasusTokenizer, whose ids/,
    );
    await expect(encode({ model_type: 't5' }, { tokenizer_class: 'constructor' })).rejects.toMatchObject({
      code: 'TOKENIZER_INVALID',
    });
  });

  it('gives a code to whatever a module throws, and refuses one that makes no pieces', async () => {
    const throwing = { encodePieces: (text: string) => (text === 'a' ? ['a'] : fail(5_246_024)) };
    const modules: [SentencePieceModule, RegExp | undefined][] = [
      [{ load: async () => fail(5_246_024) }, /not a whole SentencePiece model/],
      [{ load: async () => ({ encodePieces: () => [] }) }, /not a whole SentencePiece model/],
      [{ load: async () => throwing }, undefined],
    ];
    for (const [module, refusal] of modules) {
      setSentencePieceModule(module);
      const loaded = loadSentencePiece(`${fixtures}/t5`);
      const failure = refusal ? loaded : (await loaded).encode('text');
      await expect(failure).rejects.toMatchObject({
        code: 'TOKENIZER_INVALID',
        message: expect.stringMatching(refusal ?? /spiece\.model fails to encode a text of 4 characters/),
      });
    }
    useDisk();
  });

  it('reads half a surrogate pair as an unknown character, and the next one as it is', async () => {
    const { encoder } = await loadSentencePieceFile(`${fixtures}/t5/spiece.model`);
    expect(encoder.encodePieces('a\ud800b\udc00')).toEqual(['▁', 'a', '\ufffd', 'b', '\ufffd']);
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
