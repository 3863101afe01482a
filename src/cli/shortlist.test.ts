import '../node/install.js';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fakeStreams } from '../../test/support/cli/fakeStreams.js';
import { loadShortlist } from '../pretrained/shortlistFile.js';
import { loadTokenizer } from '../text/loadTokenizer.js';
import type { Tokenizer } from '../text/tokenizer.js';
import { runProgram } from './program.js';

const model = 'models/en-fr-software';
let directory: string;
let tokenizer: Tokenizer;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'polybeam-shortlist-'));
  tokenizer = await loadTokenizer(model);
  await writeFile(join(directory, 'text.en'), 'the file\nthe package\nthis package\n\n');
  await writeFile(join(directory, 'text.fr'), 'le fichier\nle paquet\nce paquet\n\n');
  await writeFile(join(directory, 'text.tsv'), 'le fichier\tthe file\nle paquet\tthe package\n');
});

afterAll(() => rm(directory, { recursive: true, force: true }));

async function run(args: string[], input = '') {
  const streams = fakeStreams([input]);
  const code = await runProgram(args, streams);
  return { code, out: streams.out(), err: streams.err() };
}

const at = (name: string) => join(directory, name);
const make = (...args: string[]) =>
  run(['shortlist', '--tokenizer', model, '--output', at('list.safetensors'), ...args]);

/** Targets of a one-token word. */
async function targetsOf(word: string): Promise<(string | undefined)[]> {
  const { offsets, targets } = await loadShortlist(at('list.safetensors'));
  const { ids } = await tokenizer.encode(word, { addSpecialTokens: false });
  expect(ids.length).toBe(1);
  return Array.from(targets.subarray(offsets[ids[0]], offsets[ids[0] + 1]), (id) => tokenizer.idToToken(id));
}

describe('polybeam shortlist', () => {
  it('learns from parallel text, and holds the output of generate to it', async () => {
    const made = await make('--source', at('text.en'), '--target', at('text.fr'), '--frequent-tokens', '1');
    expect(made).toMatchObject({ code: 0, err: '' });
    expect(made.out).toMatch(/list\.safetensors: \d+ targets of \d+ source tokens, and \d+ for all\n/);
    expect((await targetsOf('package'))[0]).toBe('▁paquet');
    expect((await targetsOf('the'))[0]).toBe('▁le');
    const { offsets, targets, always } = await loadShortlist(at('list.safetensors'));
    const { ids } = await tokenizer.encode('the package');
    const offered = new Set([
      ...always,
      ...ids.flatMap((id) => [...targets.subarray(offsets[id], offsets[id + 1])]),
    ]);
    for (const id of Object.values(tokenizer.specialIds)) expect(always).toContain(id);
    const line = '{"text": "the package"}\n';
    const flags = ['--model', model, '--num-beams', '2', '--max-new-tokens', '6'];
    const { out } = await run(['generate', ...flags, '--shortlist', at('list.safetensors')], line);
    const [best] = JSON.parse(out).sequences;
    expect(best.text).toContain('paquet');
    for (const id of best.ids) expect(offered.has(id) || id === tokenizer.specialIds.eos).toBe(true);
    const translated = await run(
      ['translate', '--num-beams', '2', '--max-new-tokens', '6', '--shortlist', at('list.safetensors')],
      'the package\n',
    );
    expect(translated.out).toBe(`${best.text}\n`);
  });

  it('reads columns of one file, and prunes', async () => {
    const columns = ['--source-column', '2', '--target-column', '1'];
    await make('--tsv', at('text.tsv'), ...columns, '--targets-per-token', '1');
    expect(await targetsOf('file')).toEqual(['▁fichier']);
    expect(await targetsOf('the')).toEqual(['▁le']);
  });

  it('reads a table of tokens, and says how much of it the vocabulary lacks', async () => {
    const table = ['▁file\t▁fichier\t0.7', '▁file\t▁le\t0.2', '▁the\t▁le\t1', '▁zzzz\t▁le\t1', ''];
    await writeFile(at('lex.tsv'), table.join('\n'));
    const made = await make('--table', at('lex.tsv'), '--min-probability', '0.5', '--frequent-tokens', '1');
    expect(made.err).toContain('1 pairs of');
    expect(await targetsOf('file')).toEqual(['▁fichier']);
    const { always } = await loadShortlist(at('list.safetensors'));
    expect(always).toContain(tokenizer.tokenToId('▁le'));
    await writeFile(at('lex.tsv'), '▁file ▁fichier 0.7\n');
    expect(await make('--table', at('lex.tsv'))).toMatchObject({
      code: 1,
      err: expect.stringContaining('Line 1 of'),
    });
  });

  it('refuses what it cannot learn from', async () => {
    expect(await make()).toMatchObject({
      code: 2,
      err: expect.stringContaining('is missing: give one of them'),
    });
    expect((await make('--source', 'a')).err).toContain('--source and --target go together');
    expect((await make('--tsv', 'a', '--table', 'b')).err).toContain('--tsv and --table exclude each other');
    expect((await run(['shortlist', '--output', 'x', '--tsv', 'a'])).err).toContain('--tokenizer is missing');
  });

  it('is refused by translate where the file is no shortlist', async () => {
    const weights = await run(['translate', '--shortlist', join(model, 'model.safetensors'), 'the file']);
    expect(weights).toMatchObject({ code: 1, err: expect.stringContaining('is no shortlist') });
    await make('--tsv', at('text.tsv'));
    const bytes = await readFile(at('list.safetensors'));
    await writeFile(at('cut.safetensors'), bytes.subarray(0, bytes.length - 4));
    const cut = await run(['translate', '--shortlist', at('cut.safetensors'), 'the file']);
    expect(cut).toMatchObject({ code: 1, err: expect.stringContaining('FILE_CORRUPT') });
    const none = await run(['translate', '--shortlist', at('none'), 'the file']);
    expect(none.err).toContain(`There is no shortlist ${at('none')}; check the path, or make one`);
    expect(none.err).toContain('FILE_NOT_FOUND');
  });
});
