import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  parseTrainConfig,
  type TrainConfig,
  type TrainOptions,
  type TrainResult,
  train,
} from '../../src/node.js';

/** A run small enough for a test: letters are "translated" into their neighbours. */
export async function tinyConfig(
  directory: string,
  overrides: Record<string, unknown> = {},
): Promise<TrainConfig> {
  const letters = 'abcdefgh';
  const lines = Array.from({ length: 60 }, (_, line) => {
    const source = Array.from(
      { length: 2 + (line % 5) },
      (_, at) => letters[(line * 3 + at * (1 + (line % 3))) % 8],
    );
    const target = source.map((letter) => letters[(letters.indexOf(letter) + 1) % 8]);
    return `${source.join(' ')}\t${target.join(' ')}`;
  });
  const tsv = join(directory, 'train.tsv');
  await writeFile(tsv, `${lines.join('\n')}\n`);
  return parseTrainConfig({
    output: join(directory, 'run'),
    data: {
      train: [{ tsv }],
      validation: [{ tsv }],
      languages: { source: 'xa', target: 'xb' },
      maxLength: 32,
    },
    vocabulary: { train: { type: 'bpe', size: 40, minFrequency: 1 } },
    model: { dModel: 16, ffnDim: 32, attentionHeads: 2, encoderLayers: 1, decoderLayers: 1, dropout: 0.1 },
    schedule: { learningRate: 0.01, warmupUpdates: 10 },
    batch: { maxTokens: 96 },
    budget: { maxUpdates: 40 },
    validation: { everyUpdates: 20, maxSentences: 10 },
    checkpoints: { everyUpdates: 10, averageLast: 2 },
    log: { everyUpdates: 1 },
    ...overrides,
  });
}

/** Trains it in `directory`. */
export async function trainTiny(directory: string, options: TrainOptions = {}): Promise<TrainResult> {
  return train(await tinyConfig(directory), options);
}

// As a program: trains in the directory it is given, so that a test can kill it.
if (process.argv[1]?.endsWith('trainTiny.ts')) await trainTiny(process.argv[2]);
