import * as tf from '@tensorflow/tfjs-core';
import { compile } from '../src/engine/compile.js';
import type { Program } from '../src/engine/program.js';
import { floats } from '../src/engine/values.js';
import { createDraws } from '../src/pretraining/draws.js';
import { buildTable } from '../src/xlm/table/buildTable.js';
import { chunks } from '../src/xlm/table/margin.js';
import { rowsOf } from '../src/xlm/vectors/vectorRows.js';
import type { WordVectors } from '../src/xlm/vectors/wordVectors.js';
import { type BenchOptions, reportPeakMemory, roundOptions, selectCases } from './bench.js';
import { benchSeed } from './randomModel.js';
import { measureRounds, ownSide } from './rounds.js';
import { type Report, rounded, timedRow } from './rows.js';

/** What a table is built of. */
export interface TableDesign {
  /** N-grams of each language. */
  ngrams: number;
  /** Features of their vectors. */
  size: number;
}

/** A fifth of what the command is made for, each way: 25 times less work. */
export const tableDesign: TableDesign = { ngrams: 20_000, size: 300 };

const cases = [
  { name: 'one direction', products: 2, reverse: false },
  { name: 'both directions', products: 3, reverse: true },
];

/**
 * A translation table from mapped vectors, everything but files included, beside nothing but the products of all vectors with all
 * that it needs, in the same pieces.
 */
export async function benchTable(
  options: BenchOptions,
  report: Report,
  design: TableDesign = tableDesign,
): Promise<void> {
  const [source, target] = [vectorsOf(design, 'source'), vectorsOf(design, 'target')];
  const { threads } = options;
  const product = await compileProducts(design.size, threads);
  for (const { name, products, reverse } of selectCases(cases, options.case)) {
    const sides = [
      ownSide(() => buildTable(source, target, { threads }, { reverse })),
      { ...ownSide(() => multiply(product, source, target, products)), name: 'products' },
    ];
    const { times } = await measureRounds(sides, roundOptions(options, 1));
    const row = timedRow({
      bench: 'table',
      case: name,
      times: times[0],
      peer: { name: sides[1].name, times: times[1] },
    });
    report.row(row);
    report.note(`${name}: ${rounded(row.row.ms! / row.row.peerMs!)} times as long as ${products} products`);
  }
  await product.dispose();
  reportPeakMemory(report, 'table');
}

/** The program of nothing but products of vectors. */
export function compileProducts(size: number, threads: number | undefined): Promise<Program> {
  return compile(
    ({ rows, others }) => ({ y: tf.matMul(rows as tf.Tensor2D, others as tf.Tensor2D, false, true) }),
    {
      rows: { type: 'float32', shape: ['rows', size] },
      others: { type: 'float32', shape: ['others', size] },
    },
    { threads },
  );
}

/** Vectors without any meaning. */
export function vectorsOf({ ngrams, size }: TableDesign, side: string): WordVectors {
  const draws = createDraws(benchSeed, side, 0, 0);
  return {
    words: Array.from({ length: ngrams }, (_, row) => `${side} ${row}`),
    size,
    values: Float32Array.from({ length: ngrams * size }, () => draws.uniform() - 0.5),
  };
}

/** Every vector with every other of the other side, `times` times; the results are written over each other. */
export async function multiply(
  program: Program,
  x: WordVectors,
  y: WordVectors,
  times: number,
): Promise<void> {
  const others = floats([y.words.length, y.size], y.values);
  let memory = new Float32Array(0);
  for (let time = 0; time < times; time++) {
    for (const { from, until, chunk } of chunks(rowsOf(x), y.words.length)) {
      const length = (until - from) * y.words.length;
      if (memory.length < length) memory = new Float32Array(length);
      const into = floats([until - from, y.words.length], memory.subarray(0, length));
      await program.run({ rows: chunk, others }, { y: into });
    }
  }
}
