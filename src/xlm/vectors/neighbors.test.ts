import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { fakeStreams } from '../../../test/support/cli/fakeStreams.js';
import { runProgram } from '../../cli/program.js';
import '../../node/install.js';
import { nearestNeighbors } from './neighbors.js';
import { writeVectors } from './vectorFile.js';

const vectors = {
  words: ['dog', 'cat', 'red car', 'nothing'],
  size: 2,
  values: Float32Array.of(1, 0, 3, 4, 0, 1, 0, 0),
};

test('neighbors are ordered by cosine, without the word itself and without empty vectors', () => {
  expect(nearestNeighbors(vectors, Float32Array.of(2, 0), 9, new Set(['dog']))).toEqual([
    { text: 'cat', cosine: 0.6 },
    { text: 'red car', cosine: 0 },
  ]);
  expect(nearestNeighbors(vectors, Float32Array.of(2, 0), 1)).toEqual([{ text: 'dog', cosine: 1 }]);
});

test('the command prints them, and refuses what has no vector', async () => {
  const path = join(await mkdtemp(join(tmpdir(), 'polybeam-neighbors-')), 'en.vec');
  await writeVectors(path, vectors);
  const run = async (...words: string[]) => {
    const streams = fakeStreams();
    const code = await runProgram(['xlm', 'neighbors', '--top-k', '1', path, ...words], streams);
    return { code, out: streams.out(), err: streams.err() };
  };
  expect(await run('dog', 'red car')).toEqual({
    code: 0,
    err: '',
    out: 'dog\tcat\t0.6000\nred car\tcat\t0.8000\n',
  });
  const refused = await run('horse');
  expect(refused.code).toBe(1);
  expect(refused.err).toContain('"horse" has no vector in');
});
