import { describe, expect, it } from 'vitest';
import { fakeStreams } from '../../test/support/cli/fakeStreams.js';
import { readLines } from './lines.js';
import { describeProgress, inPortions } from './portions.js';

describe('inPortions', () => {
  it('prints in order, and says on a terminal how fast it goes and what is left', async () => {
    const text = `${Array.from({ length: 40 }, (_, line) => `line ${line}`).join('\n')}\n`;
    const streams = Object.assign(fakeStreams([text.slice(0, 101), text.slice(101)], { stderr: true }), {
      inputSize: text.length,
    });
    const parts: number[] = [];
    await inPortions(readLines(streams), { batchSize: 1 }, streams, async (portion, batching) => {
      parts.push((streams.inputRead ?? 0) / text.length);
      batching.onProgress?.(portion.length, portion.length);
      return portion.map((line) => line.toUpperCase());
    });
    expect(streams.out()).toBe(text.toUpperCase());
    expect(parts).toHaveLength(40);
    expect(parts[0]).toBe('line 0\n'.length / text.length);
    expect(parts.at(-1)).toBe(1);
    expect(streams.err()).toMatch(/\d done {2}\d+ lines\/s {2}\d+ s left/);
  });
});

describe('describeProgress', () => {
  it('counts, and estimates what is left where the size is known', () => {
    expect(describeProgress(30, 60, 0)).toBe('30 done  0.5 lines/s');
    expect(describeProgress(500, 10, 0.25)).toBe('500 done  50 lines/s  30 s left');
  });
});
