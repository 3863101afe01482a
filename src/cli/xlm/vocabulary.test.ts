import '../../node/install.js';
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { fakeStreams } from '../../../test/support/cli/fakeStreams.js';
import { runProgram } from '../program.js';

const directory = await mkdtemp(join(tmpdir(), 'polybeam-vocabulary-'));
const at = (name: string) => join(directory, name);
await writeFile(at('pairs.tsv'), 'a dog\tein hund\na house\tein haus\n');
await writeFile(at('more.de'), 'ein hund\n');
await writeFile(at('empty.fr'), '\n');

async function run(...args: string[]) {
  const streams = fakeStreams();
  const code = await runProgram(['xlm', 'vocabulary', '--output', at('tokenizer'), ...args], streams);
  return { code, out: streams.out(), err: streams.err() };
}

test('languages come from columns and from several files', async () => {
  const pairs = at('pairs.tsv');
  const made = await run(
    '--text',
    `en=${pairs}:1`,
    '--text',
    `de=${pairs}:2`,
    '--text',
    `de=${at('more.de')}`,
  );
  expect(made).toMatchObject({ code: 0, err: '' });
  expect(made.out).toMatch(
    /tokenizer\.json: \d+ tokens from en 44\.9 % \(2 texts\), de 55\.1 % \(3 texts\)\n$/,
  );
  const { model } = JSON.parse(await readFile(at('tokenizer/tokenizer.json'), 'utf8'));
  expect(model.vocab).toMatchObject({ '<en>': 4, '<de>': 5 });
  expect(model.vocab).toHaveProperty('▁ein');
});

test.each([
  [['--text', 'en'], 2, '--text cannot be "en": give a language and its file'],
  [[], 2, '--text is missing'],
  [['--text', 'mask=x'], 2, '"mask" cannot be the code of a language'],
  [['--text', 'constructor=x'], 2, '"constructor" cannot be the code of a language'],
  [['--text', 'en=x', '--byte-fallback', '--pretokenizer', 'byteLevel'], 2, '--byte-fallback has no meaning'],
  [['--text', `fr=${at('empty.fr')}`], 1, 'language fr hold no word'],
])('refused: %j', async (args, code, message) => {
  const refused = await run(...args);
  expect(refused.code).toBe(code);
  expect(refused.err).toContain(message);
});
