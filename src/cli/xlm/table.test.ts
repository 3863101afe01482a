import '../../node/install.js';
import { cp, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { fakeStreams } from '../../../test/support/cli/fakeStreams.js';
import { saveTokenizer } from '../../text/saveTokenizer.js';
import { trainVocabulary } from '../../text/trainVocabulary.js';
import { runProgram } from '../program.js';

const directory = await mkdtemp(join(tmpdir(), 'polybeam-table-'));
const at = (name: string) => join(directory, name);
await writeFile(at('en.vec'), '3 2\ncar 2 0.1\ndog 0.1 3\nred␣car 1 0.3\n');
await writeFile(at('de.vec'), '3 2\nHund 0.1 1\nAuto 5 0.2\nrotes␣Auto 1 0.32\n');
await writeFile(at('wide.vec'), '1 3\nHund 0.1 1 2\n');
await writeFile(
  at('en-de.tsv'),
  'car\tAuto\t0.75\ncar\tWagen\t0.25\ncart\tKarren\t1\nred car\trotes Auto\t1\n',
);

async function run(...args: string[]) {
  const streams = fakeStreams();
  const code = await runProgram(['xlm', 'table', ...args], streams);
  return { code, out: streams.out(), err: streams.err() };
}

const vectors = ['--source', at('en.vec'), '--target', at('de.vec')];

test('both tables are built and can be looked into', async () => {
  const files = ['--output', at('a.tsv'), '--reverse', at('b.tsv')];
  const options = ['--top-k', '2', '--neighbors', '2', '--temperature', '0.5'];
  const built = await run('build', ...vectors, ...files, ...options);
  expect(built).toMatchObject({ code: 0, err: '' });
  expect(built.out).toBe(
    `${at('a.tsv')}: 6 translations of 3 n-grams, temperature 0.5\n${at('b.tsv')}: 6 translations of 3 n-grams, temperature 0.5\n`,
  );
  const lines = (await readFile(at('a.tsv'), 'utf8'))
    .trimEnd()
    .split('\n')
    .map((line) => line.split('\t'));
  expect(lines.map(([source, target]) => `${source}=${target}`)).toEqual([
    'car=Auto',
    'car=rotes Auto',
    'dog=Hund',
    'dog=rotes Auto',
    'red car=rotes Auto',
    'red car=Auto',
  ]);
  const found = await run('lookup', '--table', at('b.tsv'), 'rotes Auto');
  expect(found.out).toMatch(/^rotes Auto\n {2}red car {2}0\.\d{4}\n {2}car {6}0\.\d{4}\n$/);
});

test('shares have no temperature', async () => {
  const built = await run('build', ...vectors, '--output', at('c.tsv'), '--probabilities', 'share');
  expect(built).toMatchObject({ code: 0, out: `${at('c.tsv')}: 9 translations of 3 n-grams\n` });
});

test.each([
  ['no file', ['--source', at('en.vec'), '--output', at('x')], 2, '--target is missing'],
  [
    'one file for both',
    [...vectors, '--output', 'x', '--reverse', 'x'],
    2,
    '--output and --reverse are both "x"',
  ],
  ['a bad number', [...vectors, '--output', 'x', '--top-k', '0'], 2, '--top-k cannot be "0"'],
  [
    'a temperature of shares',
    [...vectors, '--output', 'x', '--probabilities', 'share', '--temperature', '1'],
    2,
    '--temperature 1 belongs to --probabilities softmax',
  ],
  [
    'other vectors',
    ['--source', at('en.vec'), '--target', at('wide.vec'), '--output', at('x')],
    1,
    'have 2 features',
  ],
])('build refuses %s', async (_, args, code, message) => {
  const refused = await run('build', ...args);
  expect(refused).toMatchObject({ code, out: '' });
  expect(refused.err).toContain(message);
});

test('lookup prints columns, and near spellings of what is not there', async () => {
  const look = (...ngrams: string[]) => run('lookup', '--table', at('en-de.tsv'), ...ngrams);
  expect(await look(' red  car ', 'car')).toEqual({
    code: 0,
    out: 'red car\n  rotes Auto  1.0000\ncar\n  Auto   0.7500\n  Wagen  0.2500\n',
    err: '',
  });
  expect(await look('Car', 'cart')).toEqual({
    code: 0,
    out: 'cart\n  Karren  1.0000\n',
    err: `polybeam: warning: ${at('en-de.tsv')} does not have "Car"; did you mean "car", "cart"?\n`,
  });
  expect(await look('house')).toEqual({
    code: 1,
    out: '',
    err: `polybeam: ${at('en-de.tsv')} does not have "house"; nothing there is spelled like it. [INPUT_INVALID]\n`,
  });
  expect(await look('house', 'mouse')).toMatchObject({
    code: 1,
    err: expect.stringContaining('none of these n-grams'),
  });
  const { out } = await look('car', 'caar', '--json');
  expect(
    out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line)),
  ).toEqual([
    {
      source: 'car',
      translations: [
        { target: 'Auto', probability: 0.75 },
        { target: 'Wagen', probability: 0.25 },
      ],
    },
    { source: 'caar', translations: [], near: ['car'] },
  ]);
});

test('lines are translated phrase by phrase', async () => {
  const streams = fakeStreams(['red car\n\nthe cart, a car\n']);
  const args = ['xlm', 'table', 'translate', '--table', at('en-de.tsv')];
  expect(await runProgram(args, streams)).toBe(0);
  expect(streams.out()).toBe('rotes Auto\n\nthe Karren, a Auto\n');
  const given = await run('translate', '--table', at('en-de.tsv'), 'red car');
  expect(given).toMatchObject({ code: 0, out: 'rotes Auto\n' });
});

test('a language model chooses among phrases', async () => {
  const lines = ['ein Wagen', 'ein roter Wagen', 'der Wagen', 'ein Auto'];
  await cp('test/fixtures/models/gpt2', at('lm'), { recursive: true });
  const options = { specialTokens: ['<pad>', '</s>', '<unk>'], size: 64 };
  await saveTokenizer(at('lm'), await trainVocabulary(lines, options));
  const flags = ['--table', at('en-de.tsv'), '--lm', at('lm')];
  const table = await run('translate', ...flags, '--table-weight', '1000', 'red car', 'car', '');
  expect(table).toMatchObject({ code: 0, out: 'rotes Auto\nAuto\n\n' });
  const model = await run('translate', ...flags, '--table-weight', '0.001', '--num-beams', '2', 'car');
  expect(['Auto\n', 'Wagen\n']).toContain(model.out);
});

test.each([
  ['beams without a model', ['--num-beams', '2'], 2, '--num-beams has no effect without --lm'],
  ['a weight below 0', ['--lm', 'x', '--table-weight', '-1'], 2, '--table-weight cannot be "-1"'],
  [
    'jumps in order',
    ['--lm', 'x', '--jump-penalty', '1'],
    2,
    '--jump-penalty 1 has no effect with --reordering 0',
  ],
  ['an encoder-decoder', ['--lm', 'test/fixtures/models/marian'], 1, 'is no model that continues texts'],
])('translate refuses %s', async (_, args, code, message) => {
  const refused = await run('translate', '--table', at('en-de.tsv'), ...args, 'car');
  expect(refused).toMatchObject({ code, out: '' });
  expect(refused.err).toContain(message);
});
