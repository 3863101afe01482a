import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fakeStreams } from '../../test/support/cli/fakeStreams.js';
import { setFileAccess } from '../files.js';
import { nodeFiles } from '../node/files.js';
import { buildProgram, runProgram } from './program.js';

beforeAll(() => setFileAccess(nodeFiles));
const directory = mkdtempSync(join(tmpdir(), 'polybeam-cli-'));
afterAll(() => rmSync(directory, { recursive: true }));

async function run(...args: string[]) {
  const streams = fakeStreams();
  const code = await runProgram(args, streams);
  return { code, out: streams.out(), err: streams.err() };
}

describe('the command line', () => {
  it('prints help and version on standard output', async () => {
    const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
    expect(await run('--version')).toEqual({ code: 0, out: `${version}\n`, err: '' });
    const help = await run('--help');
    expect(help).toMatchObject({ code: 0, err: '' });
    expect(help.out).toContain('Usage: polybeam');
    expect((await run('help', 'vocab')).out).toContain('--size <n>');
    expect(await run('--help', 'vocab')).toEqual(help);
  });

  it('has help with examples for every command', async () => {
    const leavesOf = (command: Command): string[][] =>
      command.commands.length === 0
        ? [[]]
        : command.commands.flatMap((child) => leavesOf(child).map((rest) => [child.name(), ...rest]));
    for (const leaf of leavesOf(await buildProgram())) {
      const help = await run(...leaf, '--help');
      expect(help.out, leaf.join(' ')).toMatch(/Examples:\n {2}\$ .*polybeam /);
    }
  });

  it('ends with 2 and shows the help where there is no command', async () => {
    const { code, out, err } = await run();
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain('Usage: polybeam');
  });

  it.each([
    [['vocap'], "polybeam: unknown command 'vocap'; did you mean vocab?\n"],
    [['frobnicate'], "polybeam: unknown command 'frobnicate'; polybeam --help lists the commands.\n"],
    [['vocab', '--sise', '3', 'x'], "polybeam: unknown option '--sise'; did you mean --size?\n"],
    [['vocab', '--size'], 'polybeam: The value of --size is missing: write --size <n>. [OPTION_INVALID]\n'],
    [['vocab'], 'polybeam: <files> is missing: give it as an argument. [OPTION_INVALID]\n'],
    [['evaluate', 'bleu', 'x'], 'polybeam: --reference is missing: give it a value. [OPTION_INVALID]\n'],
    [['evaluate', 'rouge', 'x'], 'polybeam: --reference is missing: give it a value. [OPTION_INVALID]\n'],
    [['evaluate', 'report', 'x'], 'polybeam: --reference is missing: give it a value. [OPTION_INVALID]\n'],
    [
      ['evaluate', 'bleu', '--lowercse'],
      "polybeam: unknown option '--lowercse'; did you mean --lowercase?\n",
    ],
    [
      ['shortlist', '--tokenizer', 'x', '--output', 'y'],
      'polybeam: --source with --target, --tsv or --table is missing: give one of them. [OPTION_INVALID]\n',
    ],
    [['xlm', 'run'], 'polybeam: <config> is missing: give it as an argument. [OPTION_INVALID]\n'],
    [['vocab', 'x'], 'polybeam: --output is missing: give it a value. [OPTION_INVALID]\n'],
    [
      ['vocab', 'x', '--output', 'y', '--size', 'many'],
      'polybeam: --size cannot be "many" (invalid input: expected number, received string): ' +
        'Maximum number of tokens in the vocabulary, special tokens and characters included. [OPTION_INVALID]\n',
    ],
    [
      ['vocab', 'x', '--output', 'y', '--type', 'wordpiece', '--split-digits'],
      'polybeam: Vocabulary option --split-digits has no meaning for wordpiece: leave it out. [OPTION_CONFLICT]\n',
    ],
  ])('ends with 2 for wrong usage: %j', async (args, err) => {
    expect(await run(...args)).toEqual({ code: 2, out: '', err });
  });

  it('ends with 1 otherwise, and shows where it happened only with --debug', async () => {
    const missing = join(directory, 'missing');
    const args = ['vocab', missing, '--output', directory];
    const plain = await run(...args);
    expect(plain).toEqual({
      code: 1,
      out: '',
      err: `polybeam: ${missing} does not exist; check the path. [FILE_NOT_FOUND]\n`,
    });
    const debug = await run(...args, '--debug');
    expect(debug.code).toBe(1);
    expect(debug.err.startsWith(plain.err)).toBe(true);
    expect(debug.err).toMatch(/\n {4}at .*\n[\s\S]*caused by Error: ENOENT/);
  });
});

describe('polybeam vocab', () => {
  it('writes a tokenizer of the wanted size', async () => {
    const text = join(directory, 'text.tsv');
    writeFileSync(text, 'low lower lowest\tignored words\n'.repeat(3));
    const output = join(directory, 'tokenizer');
    const result = await run('vocab', text, '--size', '14', '--columns', '[0]', '--output', output);
    expect(result).toEqual({ code: 0, out: `${output}/tokenizer.json: 14 tokens from 3 lines\n`, err: '' });
    const { model } = JSON.parse(readFileSync(join(output, 'tokenizer.json'), 'utf8'));
    expect(Object.keys(model.vocab)).toHaveLength(14);
    expect(Object.keys(model.vocab).join('')).not.toContain('g');
  });

  it('warns of bytes that are not UTF-8', async () => {
    const text = join(directory, 'latin');
    writeFileSync(text, Buffer.from('caf\xe9 cafe\ncafe\n', 'latin1'));
    const { err } = await run('vocab', text, '--output', join(directory, 'latin-tokenizer'));
    expect(err).toMatch(/^polybeam: warning: 1 lines? .*not valid UTF-8/);
  });

  it('prints nothing of files and arguments that a terminal would obey', async () => {
    const control = '\x1b[2J\x1b]0;owned\x07\u202e\r';
    const model = join(directory, 'escapes');
    mkdirSync(model, { recursive: true });
    const entry = JSON.stringify({ [`a${control}`]: { dtype: 'F32', shape: [1], data_offsets: [0, 9] } });
    const header = new TextEncoder().encode(entry);
    const head = new Uint8Array(8);
    new DataView(head.buffer).setBigUint64(0, BigInt(header.length), true);
    writeFileSync(join(model, 'model.safetensors'), Buffer.concat([head, header, new Uint8Array(9)]));
    cpSync('test/fixtures/models/marian/config.json', join(model, 'config.json'));
    const table = join(directory, 'table.tsv');
    writeFileSync(table, `a${control}\tx\t1\nb\ty\n`);
    const config = join(directory, 'train.yaml');
    writeFileSync(config, `"${'\\e[2J\\r'}": 1\n`);
    for (const args of [
      ['translate', '--model', model, 'x'],
      ['translate', '--model', 'models/en-fr-software', '--to', control, 'x'],
      ['translate', '--model', `${model}${control}`, 'x'],
      ['xlm', 'table', 'lookup', '--table', table, 'x'],
      ['train', config],
      [control],
      ['translate', `--${control}`],
      ['--debug', 'translate', '--model', model, 'x'],
    ]) {
      const { code, err } = await run(...args);
      expect(code, args.join(' ')).not.toBe(0);
      expect(err, args.join(' ')).toMatch(/^polybeam: .+\n/);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
      expect(err, args.join(' ')).not.toMatch(/[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]/);
    }
  });
});
