import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { Command } from 'commander';
import { afterAll, describe, expect, it } from 'vitest';
import { setFileAccess } from '../files.js';
import { nodeFiles } from '../node/files.js';
import { evaluateCommand } from './evaluate.js';

setFileAccess(nodeFiles);

const fixtures = 'test/fixtures/eval';
const commands = JSON.parse(readFileSync(`${fixtures}/commands.json`, 'utf8')) as {
  args: string[];
  references: string[];
  stdout: string;
}[];

const directory = mkdtempSync(join(tmpdir(), 'polybeam-evaluate-'));
afterAll(() => rmSync(directory, { recursive: true }));

function file(name: string, content: string | Uint8Array): string {
  const path = join(directory, name);
  writeFileSync(path, content);
  return path;
}

async function run(args: string[], input: (string | Uint8Array)[] = []) {
  let stdout = '';
  let stderr = '';
  const collect = {
    stdout: { write: (text: string) => (stdout += text) },
    stderr: { write: (text: string) => (stderr += text) },
  };
  async function* stdin() {
    yield* input;
  }
  const program = new Command('polybeam').exitOverride();
  program.addCommand(evaluateCommand({ stdin: stdin(), ...collect }));
  await program.parseAsync(['evaluate', ...args], { from: 'user' });
  return { stdout, stderr };
}

const hypothesis = `${fixtures}/hypothesis.txt`;

describe('polybeam evaluate', () => {
  it.each(commands.map((c) => [c.args.join(' '), c.references.length, c] as const))(
    'prints what sacrebleu prints: %s, references: %i',
    async (_name, _count, { args, references, stdout }) => {
      const flags = references.flatMap((name) => ['--reference', `${fixtures}/${name}`]);
      expect((await run([...args, ...flags, hypothesis])).stdout).toBe(stdout);
    },
  );

  it('reads the hypothesis or a reference from standard input, in any chunks, and gzip files', async () => {
    const reference = `${fixtures}/reference1.txt`;
    const bytes = readFileSync(hypothesis);
    const expected = (await run(['bleu', '--reference', reference, hypothesis])).stdout;
    const middle = bytes.findIndex((byte) => byte >= 0x80) + 1;
    const chunks = [bytes.subarray(0, middle), bytes.subarray(middle)];
    expect((await run(['bleu', '--reference', reference], chunks)).stdout).toBe(expected);
    expect((await run(['bleu', '--reference', reference, '-'], chunks)).stdout).toBe(expected);
    const referenceBytes = readFileSync(reference);
    expect((await run(['bleu', '--reference', '-', hypothesis], [referenceBytes])).stdout).toBe(expected);
    const packed = file('hypothesis.gz', gzipSync(bytes));
    expect((await run(['bleu', '--reference', reference, packed])).stdout).toBe(expected);
  });

  it('warns on standard error where the hypothesis looks tokenized', async () => {
    const tokenized = file('tokenized', 'a black cat .\n'.repeat(100));
    const result = await run(['bleu', '--reference', tokenized, tokenized]);
    expect(result.stderr).toContain('looks tokenized');
    expect(result.stdout).toMatch(/ = 100\.0 /);
    const quiet = ['--tokenize', 'none'];
    expect((await run(['bleu', '--reference', tokenized, tokenized, ...quiet])).stderr).toBe('');
    expect((await run(['chrf', '--reference', tokenized, tokenized])).stderr).toBe('');
  });

  it('lists every option of the metric in its help', () => {
    const [bleu, chrf] = evaluateCommand().commands.map((command) => command.helpInformation());
    for (const flag of [
      '--reference <file>',
      '--lowercase',
      '--tokenize <name>',
      '--smooth-method',
      '--json',
    ]) {
      expect(bleu).toContain(flag);
    }
    expect(bleu).not.toContain('--max-ngram-order');
    for (const flag of [
      '--char-order <n>',
      '--word-order <n>',
      '--beta <n>',
      '--whitespace',
      '--eps-smoothing',
    ]) {
      expect(chrf).toContain(flag);
    }
  });
});

describe('polybeam evaluate refuses', () => {
  const two = file('two', 'a\nb\n');
  const three = file('three', 'a\nb\nc');
  const empty = file('empty', '');
  const latin = file('latin', new Uint8Array([97, 10, 98, 10, 0xe9, 10]));
  const cut = file('cut.gz', gzipSync('a\nb\n').subarray(0, 15));
  const missing = join(directory, 'missing');

  it.each([
    [
      'unequal lines',
      ['bleu', '--reference', three, two],
      'INPUT_INVALID',
      `"${three}" has 3 lines and "${two}" has 2 lines: each line needs its counterpart.`,
    ],
    [
      'a missing file',
      ['bleu', '--reference', missing, two],
      'FILE_NOT_FOUND',
      `"${missing}" does not exist: give a readable file.`,
    ],
    ['a directory', ['chrf', '--reference', two, directory], 'FILE_NOT_FOUND', 'is a directory'],
    ['an empty file', ['bleu', '--reference', two, empty], 'INPUT_INVALID', `"${empty}" is empty`],
    ['empty input', ['bleu', '--reference', two], 'INPUT_INVALID', 'Standard input is empty'],
    [
      'other encodings',
      ['bleu', '--reference', two, latin],
      'INPUT_INVALID',
      `"${latin}" is not UTF-8 (line 3)`,
    ],
    ['half a gzip file', ['bleu', '--reference', two, cut], 'FILE_CORRUPT', 'is a damaged gzip file'],
    ['two standard inputs', ['bleu', '--reference', '-', '-'], 'OPTION_CONFLICT', 'Only one of'],
    [
      'JSON of a bare number',
      ['bleu', '--reference', two, two, '--json', '--score-only'],
      'OPTION_CONFLICT',
      '--json and --score-only exclude each other',
    ],
    [
      'JSON of sentences',
      ['chrf', '--reference', two, two, '--json', '--sentence-level'],
      'OPTION_CONFLICT',
      '--json and --sentence-level exclude each other',
    ],
    [
      'a width that is none',
      ['bleu', '--reference', two, two, '--width', '1.5'],
      'OPTION_INVALID',
      '--width cannot be "1.5"',
    ],
    [
      'an unknown tokenizer',
      ['bleu', '--reference', two, two, '--tokenize', 'ja-mecab'],
      'OPTION_INVALID',
      '"ja-mecab" is not implemented',
    ],
    [
      'an unknown smoothing',
      ['bleu', '--reference', two, two, '--smooth-method', 'max'],
      'OPTION_INVALID',
      '--smooth-method of evaluate bleu cannot be "max": use exp, floor, add-k, none.',
    ],
    [
      'a number that is none',
      ['chrf', '--reference', two, two, '--word-order', 'two'],
      'OPTION_INVALID',
      '--word-order of evaluate chrf cannot be "two": ',
    ],
    [
      'a smoothing value without its method',
      ['bleu', '--reference', two, two, '--smooth-value', '0.5'],
      'OPTION_CONFLICT',
      'smoothValue 0.5 has no meaning with smoothMethod "exp"',
    ],
  ])('%s', async (_name, args, code, message) => {
    await expect(run(args)).rejects.toThrow(
      expect.objectContaining({ name: 'PolybeamError', code, message: expect.stringContaining(message) }),
    );
  });
});
