import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { fakeStreams } from '../../test/support/cli/fakeStreams.js';
import { fixtureWithTokenizer, words } from '../../test/support/tinyDirectories.js';
import { setFileAccess } from '../files.js';
import { nodeFiles } from '../node/files.js';
import { loadModel } from '../node.js';
import { runProgram } from './program.js';

const root = mkdtempSync(join(tmpdir(), 'polybeam-summarize-'));
// A package without models.
vi.mock('../node/packageRoot.js', async (original) => ({
  ...(await original<typeof import('../node/packageRoot.js')>()),
  packageRoot: () => root,
}));

let model: string;

beforeAll(async () => {
  setFileAccess(nodeFiles);
  model = await fixtureWithTokenizer(root, 'bart');
});
afterAll(() => rmSync(root, { recursive: true }));

async function run(args: string[], input = '') {
  const streams = fakeStreams([input]);
  const code = await runProgram(['summarize', ...args], streams);
  return { code, out: streams.out(), err: streams.err() };
}

describe('polybeam summarize', () => {
  it('gives a line for each line, in order, as the model writes them', async () => {
    const documents = Array.from({ length: 23 }, (_, at) =>
      words.slice(at % 7, (at % 7) + 1 + (at % 12)).join(' '),
    );
    documents[4] = '';
    const flags = ['--model', model, '--max-new-tokens', '8', '--num-beams', '2', '--batch-size', '3'];
    const { code, out } = await run(flags, `${documents.join('\n')}\n`);
    expect(code).toBe(0);
    const loaded = await loadModel(model);
    const expected = await loaded.translate(documents, { maxNewTokens: 8, numBeams: 2 });
    await loaded.dispose();
    expect(out).toBe(`${expected.join('\n')}\n`);
    expect(expected[4]).toBe('');
    expect(new Set(expected).size).toBeGreaterThan(3);
  });

  it('takes beginnings and languages as translate does', async () => {
    const flags = ['--model', model, '--max-new-tokens', '6'];
    const begun = await run([...flags, '--prefix', words[3], words.slice(0, 4).join(' ')]);
    expect([begun.code, begun.out]).toEqual([0, expect.stringMatching(new RegExp(`^${words[3]}\\b`))]);
    const told = await run([...flags, '--to', 'fr', words[0]]);
    expect(told.err).toContain('[LANGUAGE_UNKNOWN]');
    const idle = await run([...flags, '--num-beams', '2', '--prefix-bias-beta', '0.5', words[0]]);
    expect(idle.err).toContain('--prefix-bias-beta 0.5 has no effect without a prefix');
  });

  it('reads long documents as the model was taught to', async () => {
    const path = join(model, 'config.json');
    const config = readFileSync(path, 'utf8');
    writeFileSync(
      path,
      JSON.stringify({ ...JSON.parse(config), polybeam: { truncation: { head: 2, tail: 1 } } }),
    );
    const flags = ['--model', model, '--max-new-tokens', '8'];
    const [long, cut] = [await run([...flags, 'a b c d e f']), await run([...flags, 'a b f'])];
    writeFileSync(path, config);
    const whole = await run([...flags, 'a b c d e f']);
    expect(long).toEqual(cut);
    expect(long.out).not.toBe(whole.out);
  });

  it('says what to do where there is no model', async () => {
    const { code, err } = await run(['a b']);
    expect(code).toBe(1);
    expect(err).toContain(
      `There is no summarizer in ${root}/models/summarize-software: name one with --model, such as the directory that polybeam finetune makes. [FILE_NOT_FOUND]`,
    );
  });

  it('refuses what a line has no place for', async () => {
    const { code, err } = await run(['--model', model, '--num-return-sequences', '2', 'a']);
    expect(code).toBe(2);
    expect(err).toContain('num-return-sequences');
  });
});
