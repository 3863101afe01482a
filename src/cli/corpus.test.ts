import { spawn } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { fakeStreams } from '../../test/support/cli/fakeStreams.js';
import { createFakeModel, hashLogits } from '../../test/support/generation/fakeModel.js';
import { decode } from '../../test/support/generation/run.js';
import { readLines } from './lines.js';
import { inPortions } from './portions.js';
import { printStreamed } from './streamedLines.js';

const count = 10_000;
const sourceOf = (line: number) => Array.from({ length: 1 + (line % 17) }, (_, at) => 2 + ((line + at) % 12));

/** A file of lines of ids, made while it is read. */
async function* corpus(lines = count) {
  for (let line = 0; line < lines; line += 50) {
    yield Array.from({ length: 50 }, (_, at) => `${sourceOf(line + at).join(' ')}\n`).join('');
  }
}

const inner = createFakeModel(14, hashLogits({ vocabSize: 14, eosTokenIds: [1], endBias: 1, seed: 5 }));
const options = { maxNewTokens: 2 };

/** Heap in use after what is no longer reachable was freed. */
function heapUsed(): number {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
  return process.memoryUsage().heapUsed;
}

/** Standard output whose reader asks for the next piece when it is told to. */
function slowOutput(delay: number) {
  const events = new EventEmitter();
  const state = { unread: 0, mostUnread: 0, writes: 0, text: '' };
  const stdout = Object.assign(events, {
    write(text: string) {
      state.writes++;
      state.text += text;
      state.mostUnread = Math.max(state.mostUnread, ++state.unread);
      setTimeout(() => {
        if (--state.unread === 0) events.emit('drain');
      }, delay);
      return false;
    },
  });
  return { state, stdout };
}

describe('a corpus of 10,000 lines', () => {
  it('comes out in order, in batches within the limit, without growing in memory', async () => {
    const batches: [rows: number, length: number][] = [];
    const start: typeof inner.start = (feed) => {
      batches.push([feed.source.batch, feed.source.source]);
      return inner.start(feed);
    };
    const model = { ...inner, start };
    let next = 0;
    const samples = new Map<number, string>();
    const streams = {
      ...fakeStreams(),
      stdin: corpus(),
      stdout: {
        write(text: string) {
          for (const line of text.split('\n').slice(0, -1)) {
            if (next % 997 === 0) samples.set(next, line);
            next++;
          }
        },
      },
    };
    const heap = new Map<number, number>();
    const flags = { maxBatchTokens: 400 };
    await inPortions(readLines(streams), flags, streams, async (portion, batching) => {
      const inputs = portion.map((line) => line.split(' ').map(Number));
      const results = await decode(model, inputs, options, batching);
      const portions = Math.floor((batching.firstIndex ?? 0) / 1024);
      if (portions === 2 || portions === 9) heap.set(portions, heapUsed());
      return results.map(({ sequences }) => sequences[0].ids.join(' '));
    });
    expect(next).toBe(count);
    for (const [line, text] of samples) {
      const [alone] = await decode(inner, [sourceOf(line)], options);
      expect(text, `line ${line}`).toBe(alone.sequences[0].ids.join(' '));
    }
    expect(samples.size).toBe(11);
    for (const [rows, length] of batches) expect(rows * length).toBeLessThanOrEqual(400);
    // Sorted, lengths hardly differ within a batch: at least 85 % of the tokens that there is room for are used.
    const tokens = Array.from({ length: count }, (_, line) => sourceOf(line).length).reduce((a, b) => a + b);
    expect(batches.length).toBeLessThan(tokens / (0.85 * 400));
    expect(batches.reduce((sum, [rows, length]) => sum + rows * length, 0)).toBeLessThan(1.1 * tokens);
    // 7,000 lines more; each would be some 100 bytes.
    expect(heap.get(9)! - heap.get(2)!).toBeLessThan(500_000);
  });

  it('is not read ahead of a slow reader of the output', async () => {
    const { state, stdout } = slowOutput(1);
    const streams = { ...fakeStreams(), stdin: corpus(), stdout };
    let read = 0;
    let mostAhead = 0;
    const lines = async function* () {
      for await (const line of readLines(streams)) {
        read++;
        mostAhead = Math.max(mostAhead, read - state.text.split('\n').length);
        yield line;
      }
    };
    await inPortions(lines(), { batchSize: 64 }, streams, async (portion) => portion);
    expect(state.text.split('\n')).toHaveLength(count + 1);
    expect([state.mostUnread, state.unread]).toEqual([1, 0]);
    expect(mostAhead).toBeLessThanOrEqual(64 * 16);
  });

  it('is streamed no faster than it is read, either', async () => {
    const { state, stdout } = slowOutput(0);
    const events = async function* () {
      for (const index of [0, 1, 2, 3]) yield { index, delta: `line ${index}`, ended: true };
    };
    const model = { stream: events } as unknown as Parameters<typeof printStreamed>[1];
    await printStreamed(['a', 'b', 'c', 'd'], model, {}, { ...fakeStreams(), stdout });
    expect(state.text).toBe('line 0\nline 1\nline 2\nline 3\n');
    // An event writes twice at most: a text and a line end.
    expect([state.writes, state.mostUnread]).toEqual([8, 2]);
  });
});

it('ends quietly where its reader has had enough', async () => {
  const args = ['--import', 'tsx', 'src/cli/main.ts', 'generate', '--model', 'test/fixtures/models/marian'];
  const child = spawn(process.execPath, [...args, '--batch-size', '1', '--max-new-tokens', '2']);
  let err = '';
  child.stderr.on('data', (data) => {
    err += data;
  });
  child.stdin.on('error', () => {});
  child.stdin.write('{"input_ids":[5,6,7]}\n'.repeat(2000));
  await new Promise((resolve) => child.stdout.once('data', resolve));
  child.stdout.destroy();
  const code = await new Promise((resolve) => child.once('exit', resolve));
  expect([code, err]).toEqual([0, '']);
}, 60_000);
