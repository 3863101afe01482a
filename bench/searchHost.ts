/**
 * Host time of the search per step, with a model that computes nothing: what decoding costs beyond the model.
 *
 *   npx tsx bench/searchHost.ts [--json]
 *   node --cpu-prof --import tsx bench/searchHost.ts
 */
import { type GenerationOptions, resolveGenerationOptions } from '../src/generation/options.js';
import { searchBatch } from '../src/generation/search.js';
import type { Candidates, DecodingState, StepModel } from '../src/generation/stepModel.js';

const vocabSize = 32_000;
const newTokens = 128;

/** Answers every step with one of a few prepared sets of candidates, so that beams keep branching. */
function createNullModel(candidates: number, rows: number): StepModel {
  const width = candidates === 0 ? vocabSize : candidates;
  const sets = Array.from({ length: 7 }, (_, set): Candidates => {
    const logits = new Float32Array(rows * width);
    const ids = new Int32Array(rows * width);
    for (let i = 0; i < logits.length; i++) {
      const place = i % width;
      const noise = ((i * 7919 + set * 104729) % 9973) / 9973;
      // Best first where the model selects; spread over the vocabulary, without ends, where it returns everything.
      logits[i] =
        candidates === 0
          ? place < 10
            ? Number.NEGATIVE_INFINITY
            : 12 * noise ** 3
          : -0.3 * place - 0.2 * noise;
      ids[i] = 10 + ((place * 31 + set * 17) % 500);
    }
    return {
      rows,
      width,
      ids: candidates === 0 ? undefined : ids,
      logits,
      logSumExp: new Float32Array(rows).fill(1),
    };
  });
  let calls = 0;
  const state: DecodingState = { batch: 1, beams: 1 };
  return {
    vocabSize,
    maxPositions: Number.POSITIVE_INFINITY,
    start: async () => ({ state, candidates: sets[calls++ % sets.length] }),
    step: async () => sets[calls++ % sets.length],
    keep: async () => state,
    dispose: () => undefined,
  };
}

interface Case {
  name: string;
  batch: number;
  candidates: number;
  options: GenerationOptions;
}

const sampling: GenerationOptions = { doSample: true, seed: 1, topP: 0.9 };
const cases: Case[] = [
  { name: 'batch 1 greedy', batch: 1, candidates: 1, options: {} },
  { name: 'batch 1 beam 4', batch: 1, candidates: 5, options: { numBeams: 4 } },
  { name: 'batch 16 beam 4', batch: 16, candidates: 5, options: { numBeams: 4 } },
  { name: 'batch 64 beam 4', batch: 64, candidates: 5, options: { numBeams: 4 } },
  {
    name: 'batch 16 beam 4, no repeated 3-gram',
    batch: 16,
    candidates: 5,
    options: { numBeams: 4, noRepeatNgramSize: 3 },
  },
  {
    name: 'batch 16 beam 4, repetition penalty',
    batch: 16,
    candidates: 5,
    options: { numBeams: 4, repetitionPenalty: 1.2 },
  },
  { name: 'batch 16 sampling, top-k 50, top-p 0.9', batch: 16, candidates: 50, options: sampling },
  {
    name: 'batch 1 sampling, top-p 0.9 of 32,000',
    batch: 1,
    candidates: 0,
    options: { ...sampling, topK: 0 },
  },
];

/** Best of `repeats` runs, in microseconds per step. */
async function measure({ batch, candidates, options }: Case, repeats: number): Promise<number> {
  const rows = batch * (options.numBeams ?? 1);
  const model = createNullModel(candidates, rows);
  let best = Number.POSITIVE_INFINITY;
  for (let repeat = 0; repeat < repeats; repeat++) {
    const started = performance.now();
    await searchBatch(model, {
      source: {
        inputIds: new Int32Array(batch),
        attentionMask: new Int32Array(batch).fill(1),
        batch,
        source: 1,
      },
      prompt: new Int32Array(batch),
      promptLength: 1,
      options: resolveGenerationOptions({ maxNewTokens: newTokens, ...options }),
      limits: { minNewTokens: 0, maxNewTokens: newTokens },
      rules: { decoderStartTokenId: 0, eosTokenIds: [1], padTokenId: 0 },
      sentenceIds: Array.from({ length: batch }, (_, i) => i),
    });
    best = Math.min(best, ((performance.now() - started) * 1000) / newTokens);
  }
  return best;
}

const json = process.argv.includes('--json');
for (const one of cases) {
  const microseconds = await measure(one, one.candidates === 0 ? 8 : 60);
  if (json)
    console.log(JSON.stringify({ bench: 'searchHost', case: one.name, us: Number(microseconds.toFixed(2)) }));
  else console.log(`${one.name.padEnd(42)}${microseconds.toFixed(1).padStart(9)} us per step`);
}
