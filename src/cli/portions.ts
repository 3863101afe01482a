import type { Batching } from '../generation/inputs.js';
import { duration } from '../training/progress.js';
import { inGroups } from './lines.js';
import { type CommandStreams, createStatusLine, writeOut } from './streams.js';
import { defaultBatchSize, type ModelFlags } from './useModel.js';

/** Batches that are read before the first is decoded: the more, the better lengths match within each. */
const batchesAtOnce = 16;

/** Lines that are read before the first batch is decoded, where batches are limited by tokens. */
const linesAtOnce = 1024;

/**
 * Reads inputs in portions of several batches, and prints what becomes of each before the next is read. A person at a
 * terminal, and `--batch-size 1`, get every output before the next input. Nothing is read ahead of a slow reader of the output.
 *
 * @param work gives the lines for a portion, one for each input
 */
export async function inPortions<T>(
  items: AsyncIterable<T>,
  flags: ModelFlags,
  streams: CommandStreams,
  work: (portion: T[], batching: Batching) => Promise<string[]>,
): Promise<void> {
  const { maxBatchTokens } = flags;
  const batchSize = flags.batchSize ?? (maxBatchTokens === undefined ? defaultBatchSize : undefined);
  const immediate = streams.stdin.isTTY || batchSize === 1;
  const window = batchSize === undefined ? linesAtOnce : batchSize * batchesAtOnce;
  const status = createStatusLine(streams);
  const start = performance.now();
  let before = 0;
  let readBefore = 0;
  try {
    for await (const portion of inGroups(items, immediate ? 1 : window)) {
      const read = streams.inputRead ?? 0;
      const onProgress = (done: number, total: number) => {
        const part = (readBefore + ((read - readBefore) * done) / total) / (streams.inputSize ?? Infinity);
        status.show(describeProgress(before + done, (performance.now() - start) / 1000, part));
      };
      const lines = await work(portion, { batchSize, maxBatchTokens, firstIndex: before, onProgress });
      status.clear();
      await writeOut(streams, lines.map((line) => `${line}\n`).join(''));
      before += portion.length;
      readBefore = read;
    }
  } finally {
    status.clear();
  }
}

/**
 * How far the work is, in one line.
 * @param part of the whole input that is done; 0 where its size is not known
 */
export function describeProgress(done: number, seconds: number, part: number): string {
  const rate = done / Math.max(seconds, 1e-3);
  const speed = `${rate >= 10 ? Math.round(rate) : rate.toFixed(1)} lines/s`;
  const left = part > 0 && part <= 1 ? `  ${duration((seconds * (1 - part)) / part)} left` : '';
  return `${done} done  ${speed}${left}`;
}
