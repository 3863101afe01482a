import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fixtureWithTokenizer, reversedPairs } from '../../test/support/tinyDirectories.js';
import { finetune, loadModel, parseFinetuneConfig } from '../node.js';
import { openWeights } from '../pretrained/openWeights.js';
import { convertModel } from '../pretrained/saveModel.js';
import { readTensors, writeTensors } from './tensorFiles.js';

let root: string;
let tsv: string;
let runs = 0;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'polybeam-pair-'));
  tsv = await reversedPairs(join(root, 'pairs.tsv'), 24);
});

afterAll(() => rm(root, { recursive: true, force: true }));

/** Rate 0 unless it is set: what comes out is what it started from. */
async function pair(changes: Record<string, unknown>): Promise<string> {
  const config = parseFinetuneConfig({
    output: join(root, `run${runs++}`),
    data: { train: { tsv }, maxSourceLength: 16, maxTargetLength: 16 },
    budget: { maxUpdates: 1 },
    schedule: { type: 'constant', warmupUpdates: 1 },
    batch: { maxTokens: 128, sortWindow: 100 },
    threads: 1,
    ...changes,
  });
  return (await finetune(config)).modelDirectory!;
}

const names = async (directory: string) => [...(await openWeights(directory)).names()].sort();
const read = async (directory: string, name: string) => (await openWeights(directory)).read(name);

describe('an encoder-decoder of two BERT directories', () => {
  test('has the names that transformers gives it, and the weights of both', async () => {
    const [encoder, decoder] = [
      await fixtureWithTokenizer(root, 'bert'),
      await fixtureWithTokenizer(root, 'bert'),
    ];
    const made = await pair({ encoder, decoder });
    expect(await names(made)).toEqual(await names('test/fixtures/models/encoder-decoder'));
    for (const name of await names(encoder)) {
      const own = await read(encoder, name);
      expect(await read(made, `encoder.${name}`), name).toEqual(own);
      if (!name.startsWith('pooler.')) expect(await read(made, `decoder.bert.${name}`), name).toEqual(own);
    }
    // Cross-attention is new.
    const cross = 'decoder.bert.encoder.layer.0.crossattention.self.query.weight';
    const [fresh, self] = [
      await read(made, cross),
      await read(encoder, 'encoder.layer.0.attention.self.query.weight'),
    ];
    expect(fresh).not.toEqual(self);
    expect(Math.max(...fresh)).toBeGreaterThan(0);
    expect(Math.max(...fresh)).toBeLessThan(0.02 * 5);
    const config = JSON.parse(await readFile(join(made, 'config.json'), 'utf8'));
    expect(config).toMatchObject({
      model_type: 'encoder-decoder',
      architectures: ['EncoderDecoderModel'],
      encoder: { model_type: 'bert', is_decoder: false, add_cross_attention: false },
      decoder: { model_type: 'bert', is_decoder: true, add_cross_attention: true },
      decoder_start_token_id: 2,
      eos_token_id: 3,
      pad_token_id: 0,
    });
    const model = await loadModel(made);
    const [{ sequences }] = await model.generate([{ text: 'a b c' }], { maxNewTokens: 5 });
    expect(sequences[0].ids.length).toBeGreaterThan(0);
    await model.dispose();
  });

  test('takes a head where there is one', async () => {
    const encoder = await fixtureWithTokenizer(root, 'bert-generation-encoder');
    const decoder = await fixtureWithTokenizer(root, 'bert-generation-decoder');
    const made = await pair({ encoder, decoder });
    expect(await names(made)).toEqual(await names('test/fixtures/models/encoder-decoder-bert-generation'));
    expect(await read(made, 'decoder.lm_head.bias')).toEqual(await read(decoder, 'lm_head.bias'));
    const layer = 'encoder.layer.1.output.dense.weight';
    expect(await read(made, `decoder.bert.${layer}`)).toEqual(await read(decoder, `bert.${layer}`));
  });

  test('can have a side that starts at random, as the seed says', async () => {
    const bert = await fixtureWithTokenizer(root, 'bert');
    const options = { encoder: bert, decoder: { random: bert } };
    const [made, again, other] = [
      await pair(options),
      await pair(options),
      await pair({ ...options, seed: 2 }),
    ];
    const own = 'embeddings.word_embeddings.weight';
    const table = `decoder.bert.${own}`;
    expect(await read(made, `encoder.${own}`)).toEqual(await read(bert, own));
    expect(await read(made, table)).not.toEqual(await read(bert, own));
    expect(await read(again, table)).toEqual(await read(made, table));
    expect(await read(other, table)).not.toEqual(await read(made, table));
  });

  test('can share weights: one set, which computes what two equal ones do, and learns as one', async () => {
    const bert = await fixtureWithTokenizer(root, 'bert');
    const shared = await pair({ encoder: bert, decoder: bert, share: true });
    const own = (await names(shared)).filter((name) => name.startsWith('decoder.bert.'));
    expect(own.every((name) => name.includes('.crossattention.'))).toBe(true);
    expect(own).toHaveLength(20);
    // The same with the encoder's weights written a second time, by the decoder's names.
    const twice = join(root, 'twice');
    const tensors = await readTensors(join(shared, 'model.safetensors'));
    for (const [name, tensor] of [...tensors])
      if (/^encoder\.(embeddings|encoder)\./.test(name))
        tensors.set(name.replace(/^encoder\./, 'decoder.bert.'), tensor);
    await writeTensors(join(twice, 'model.safetensors'), tensors);
    const config = JSON.parse(await readFile(join(shared, 'config.json'), 'utf8'));
    expect(config.tie_encoder_decoder).toBe(true);
    await writeFile(join(twice, 'config.json'), JSON.stringify({ ...config, tie_encoder_decoder: false }));
    const [one, two] = [await loadModel(shared), await loadModel(twice)];
    const input = { inputIds: [2, 7, 8, 9, 3], decoderInputIds: [2, 9, 8] };
    expect((await one.forward(input)).logits).toEqual((await two.forward(input)).logits);
    await one.dispose();
    await two.dispose();
    // Going on from it keeps it shared.
    const constant = { type: 'constant', warmupUpdates: 0, learningRate: 0.001 };
    await writeFile(join(shared, 'vocab.txt'), await readFile(join(bert, 'vocab.txt')));
    const further = await pair({ init: shared, schedule: constant });
    expect(await names(further)).toEqual(await names(shared));
    const layer = 'encoder.encoder.layer.0.output.dense.weight';
    expect(await read(further, layer)).not.toEqual(await read(shared, layer));
  });

  test('gives new weights the full rate, and frozen ones none', async () => {
    const bert = await fixtureWithTokenizer(root, 'bert');
    const options = { encoder: bert, decoder: bert, layerDecay: 0.5, freeze: ['encoder'] };
    const schedule = { type: 'constant', warmupUpdates: 0, learningRate: 0.001 };
    const before = await pair(options);
    const after = await pair({ ...options, schedule, optimizer: { clipNorm: 0, adamEpsilon: 1e-12 } });
    const moved = async (name: string) => {
      const [a, b] = [await read(before, name), await read(after, name)];
      return Math.max(...a.map((value, at) => Math.abs(value - b[at])));
    };
    const layer = 'decoder.bert.encoder.layer.0';
    expect(await moved(`${layer}.crossattention.output.dense.weight`)).toBeCloseTo(0.001, 6);
    expect(await moved(`${layer}.output.dense.weight`)).toBeCloseTo(0.0005, 6);
    expect(await moved('decoder.bert.embeddings.word_embeddings.weight')).toBeCloseTo(0.00025, 6);
    expect(await moved('decoder.cls.predictions.transform.dense.weight')).toBeCloseTo(0.001, 6);
    expect(await moved('encoder.encoder.layer.1.output.dense.weight')).toBe(0);
  });

  test.each([
    [
      'bert',
      'bert',
      (config: Record<string, unknown>) => ({ ...config, hidden_size: 24 }),
      false,
      'WEIGHT_SHAPE',
      /embeddings\.word_embeddings\.weight is \[64, 24\] in the decoder's .*, but the encoder's .* wants \[64, 16\]/,
    ],
    [
      'bert',
      't5',
      undefined,
      false,
      'MODEL_TYPE_UNKNOWN',
      /decoder: .* is a t5 model; a side can start from bert/,
    ],
  ])(
    'of %s and %s is refused where it does not fit',
    async (encoder, decoder, change, share, code, message) => {
      const sides = {
        encoder: await fixtureWithTokenizer(root, encoder),
        decoder: await fixtureWithTokenizer(root, decoder, change),
      };
      await expect(pair({ ...sides, share })).rejects.toMatchObject({
        code,
        message: expect.stringMatching(message),
      });
    },
  );
});

describe('an encoder-decoder of shared weights that transformers saved', () => {
  const fixtures = 'test/fixtures/pretrained/encoder-decoder-shared';
  const expected = async () => JSON.parse(await readFile(`${fixtures}/expected.json`, 'utf8'));

  test.each(['safetensors', 'bin'])('computes what transformers computes, from %s', async (form) => {
    const { inputs, logits, generated } = await expected();
    const model = await loadModel(`${fixtures}/${form}`);
    const [inputIds, decoderInputIds] = [inputs.input_ids[0], inputs.decoder_input_ids[0]];
    const found = (await model.forward({ inputIds, decoderInputIds })).logits!;
    found.flat().forEach((value, at) => {
      expect(value).toBeCloseTo(logits[0].flat()[at], 4);
    });
    const [{ sequences }] = await model.generate([{ inputIds }], { maxNewTokens: 8, numBeams: 3 });
    // transformers returns the start token as well, and pads.
    const text = [2, ...sequences[0].ids];
    expect(text).toEqual(generated[0].slice(0, text.length));
    await model.dispose();
  });

  test.each(['safetensors', 'bin'])('goes on as one, from %s', async (form) => {
    const init = join(root, `shared-${form}`);
    await cp(`${fixtures}/${form}`, init, { recursive: true });
    const bert = await fixtureWithTokenizer(root, 'bert');
    const vocabulary = (await readFile(join(bert, 'vocab.txt'), 'utf8')).split('\n').slice(0, 40);
    await writeFile(join(init, 'vocab.txt'), vocabulary.join('\n'));
    const data = { train: { tsv }, maxSourceLength: 12, maxTargetLength: 12 };
    const further = await pair({ init, data, schedule: { type: 'constant', warmupUpdates: 0 } });
    const own = await names(further);
    const table = 'embeddings.word_embeddings.weight';
    // One set, by its first names, whichever it was stored by.
    const kept = `encoder.${table}`;
    expect(own.filter((name) => name.endsWith(table))).toEqual([kept]);
    const stored = form === 'bin' ? kept : `decoder.bert.${table}`;
    expect(await read(further, kept)).not.toEqual(await read(init, stored));
    const converted = join(root, `converted-${form}`);
    await convertModel(further, converted, 'float32');
    expect((await names(converted)).filter((name) => name.endsWith(table))).toEqual([`encoder.${table}`]);
    const [one, two] = [await loadModel(further), await loadModel(converted)];
    const input = { inputIds: [2, 7, 8, 9, 3], decoderInputIds: [2, 9, 8] };
    expect((await one.forward(input)).logits).toEqual((await two.forward(input)).logits);
    await one.dispose();
    await two.dispose();
  });
});
