import '../../node/install.js';
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { fakeStreams } from '../../../test/support/cli/fakeStreams.js';
import { runProgram } from '../program.js';

const directory = await mkdtemp(join(tmpdir(), 'polybeam-ngrams-'));
const at = (name: string) => join(directory, name);
await writeFile(at('a.tsv'), '1\tA red car\n2\tthe red car\n');
await writeFile(at('b.txt'), 'red cars\n');
await writeFile(at('empty.txt'), '\n');

async function run(...args: string[]) {
  const streams = fakeStreams();
  const code = await runProgram(['xlm', 'ngrams', '--output', at('out.tsv'), ...args], streams);
  return { code, out: streams.out(), err: streams.err() };
}

test('texts of several files are counted together, and written as a table', async () => {
  const made = await run(
    '--min-count',
    '2',
    '--limits',
    '[9,9]',
    '--discount',
    '0',
    `${at('a.tsv')}:2`,
    at('b.txt'),
  );
  expect(made).toMatchObject({ code: 0, err: '', out: `${at('out.tsv')}: 2 words, 1 2-grams\n` });
  // 8 words; "red car" twice, "red" 3 times, "car" twice.
  const score = Math.log((2 * 8) / (3 * 2)).toFixed(6);
  expect(await readFile(at('out.tsv'), 'utf8')).toBe(
    `red\t3\t0.000000\ncar\t2\t0.000000\nred car\t2\t${score}\n`,
  );
});

test.each([
  [['--min-count', '0', 'x'], 2, '--min-count cannot be "0"'],
  [['--rank', 'dice', 'x'], 2, '--rank cannot be "dice": use pmi or count'],
  [[at('empty.txt')], 1, 'hold no word'],
  [[at('b.txt')], 1, '"red", occurs 1 times'],
])('refused: %j', async (args, code, message) => {
  const refused = await run(...args);
  expect(refused.code).toBe(code);
  expect(refused.err).toContain(message);
});
