import '../../node/install.js';
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { fakeStreams } from '../../../test/support/cli/fakeStreams.js';
import { readVectors } from '../../xlm/vectors/vectorFile.js';
import { runProgram } from '../program.js';

const directory = await mkdtemp(join(tmpdir(), 'polybeam-vectors-'));
const at = (name: string) => join(directory, name);
await writeFile(at('text.txt'), 'A red car and a red bus\na red car\n');
await writeFile(at('empty.txt'), '');
await writeFile(at('ngrams.tsv'), 'a\t3\t0\nred\t3\t0\nred car\t2\t1\nboat\t2\t0\n');

async function run(...args: string[]) {
  const streams = fakeStreams([], { stderr: true });
  const code = await runProgram(['xlm', 'vectors', '--ngrams', at('ngrams.tsv'), ...args], streams);
  return { code, out: streams.out(), err: streams.err() };
}

test('vectors are trained and written, and what is not in the texts is told', async () => {
  const made = await run(
    '--output',
    at('en.vec'),
    '--size',
    '4',
    '--sample',
    '1',
    '--lowercase',
    at('text.txt'),
  );
  expect(made.code).toBe(0);
  expect(made.out).toBe(`${at('en.vec')}: 3 vectors of size 4\n`);
  expect(made.err).toContain('2 texts read');
  expect(made.err).toContain(
    'warning: 1 of 4 n-grams are not in the texts by themselves and get no vector: "boat".',
  );
  expect((await readVectors(at('en.vec'))).words).toEqual(['a', 'red', 'red car']);
  expect(await readFile(at('en.vec'), 'utf8')).toMatch(
    /^3 4\na [-\d. e]+\nred [-\d. e]+\nred␣car [-\d. e]+\n$/,
  );
});

test('the texts of fastText are written instead', async () => {
  const made = await run(
    '--write-texts',
    at('cut.txt'),
    '--epochs',
    '2',
    '--join',
    '1',
    '--lowercase',
    at('text.txt'),
  );
  expect(made).toMatchObject({ code: 0, out: `${at('cut.txt')}: texts for fastText\n` });
  expect(await readFile(at('cut.txt'), 'utf8')).toBe('a red␣car a red\na red␣car\n'.repeat(2));
});

test.each([
  [[at('text.txt')], 2, '--output is missing'],
  [
    ['--output', 'a', '--write-texts', 'b', at('text.txt')],
    2,
    '--output and --write-texts exclude each other',
  ],
  [
    ['--output', 'a', '--min-subword', '9', at('text.txt')],
    2,
    '--min-subword 9 is larger than --max-subword 6',
  ],
  [['--output', 'a', '--size', '0', at('text.txt')], 2, '--size cannot be "0"'],
  [['--output', 'a', at('empty.txt')], 1, 'The texts are empty'],
])('refused: %j', async (args, code, message) => {
  const refused = await run(...args);
  expect(refused.code).toBe(code);
  expect(refused.err).toContain(message);
});
