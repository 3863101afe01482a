import { describe, expect, it } from 'vitest';
import { fakeStreams } from '../../test/support/cli/fakeStreams.js';
import { inGroups, readTexts } from './lines.js';
import { createStatusLine } from './streams.js';

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

describe('texts of a command', () => {
  it('are its arguments, split at line ends', async () => {
    const streams = fakeStreams(['unread\n']);
    expect(await collect(readTexts(streams, ['a b', '', 'c\nd']))).toEqual(['a b', '', 'c', 'd']);
  });

  it('are the lines of standard input, in any chunks, with either line end', async () => {
    const bytes = new TextEncoder().encode('\ufeffé\r\n\n  \nletzte ü\ufffd');
    for (const size of [1, 2, 3, 100]) {
      const chunks: Uint8Array[] = [];
      for (let at = 0; at < bytes.length; at += size) chunks.push(bytes.subarray(at, at + size));
      const streams = fakeStreams(chunks);
      expect(await collect(readTexts(streams))).toEqual(['é', '', '  ', 'letzte ü\ufffd']);
      expect(streams.err()).toBe('');
    }
    expect(await collect(readTexts(fakeStreams(['a\nb', 'c\n'])))).toEqual(['a', 'bc']);
    expect(await collect(readTexts(fakeStreams([])))).toEqual([]);
  });

  it('keep lines that are not UTF-8, with a warning that counts them', async () => {
    const streams = fakeStreams([Uint8Array.of(97, 10, 0xe9, 98, 0xff, 10, 99, 10, 0xe9, 10)]);
    expect(await collect(readTexts(streams))).toEqual(['a', '\ufffdb\ufffd', 'c', '\ufffd']);
    expect(streams.err()).toBe(
      'polybeam: warning: 2 lines were not valid UTF-8 (first: line 2); 3 invalid sequences were replaced by U+FFFD.\n',
    );
  });

  it('come with a hint where a person has to type them', async () => {
    const streams = fakeStreams(['a\n'], { stdin: true });
    expect(await collect(readTexts(streams))).toEqual(['a']);
    expect(streams.err()).toContain('Ctrl-D');
  });
});

it('groups lines in order', async () => {
  const lines = readTexts(fakeStreams(['1\n2\n3\n4\n5\n']));
  expect(await collect(inGroups(lines, 2))).toEqual([['1', '2'], ['3', '4'], ['5']]);
});

describe('status line', () => {
  it('is drawn on a terminal at most ten times a second, and cleared', () => {
    let now = 0;
    const streams = fakeStreams([], { stderr: true });
    const status = createStatusLine(streams, () => now);
    status.show('one');
    now = 50;
    status.show('two');
    now = 100;
    status.show('three');
    status.clear();
    status.clear();
    expect(streams.err()).toBe('\rone\x1b[K\rthree\x1b[K\r\x1b[K');
  });

  it('is absent elsewhere', () => {
    const streams = fakeStreams();
    createStatusLine(streams).show('one');
    expect(streams.err()).toBe('');
  });
});
