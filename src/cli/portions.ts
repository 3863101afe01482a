import type { Batching } from '../generation/generate.js';
import { inGroups } from './lines.js';
import { type CommandStreams, createStatusLine } from './streams.js';
import { defaultBatchSize, type ModelFlags } from './useModel.js';

/** Batches that are read before the first is decoded: the more, the better lengths match within each. */
const batchesAtOnce = 16;

/**
 * Reads inputs in portions of several batches, and prints what becomes of each before the next is read. A person at a
 * terminal, and `--batch-size 1`, get every output before the next input.
 *
 * @param work gives the lines for a portion, one for each input
 */
export async function inPortions<T>(
  items: AsyncIterable<T>,
  flags: ModelFlags,
  streams: CommandStreams,
  work: (portion: T[], batching: Batching) => Promise<string[]>,
): Promise<void> {
  const batchSize = flags.batchSize ?? defaultBatchSize;
  const immediate = streams.stdin.isTTY || batchSize === 1;
  const status = createStatusLine(streams);
  let before = 0;
  try {
    for await (const portion of inGroups(items, immediate ? 1 : batchSize * batchesAtOnce)) {
      const onProgress = (done: number) => status.show(`${before + done} done`);
      const lines = await work(portion, { batchSize, firstIndex: before, onProgress });
      status.clear();
      for (const line of lines) streams.stdout.write(`${line}\n`);
      before += portion.length;
    }
  } finally {
    status.clear();
  }
}
