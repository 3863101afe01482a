import { spawn } from 'node:child_process';
import {
  closeSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { fakeStreams } from '../../test/support/cli/fakeStreams.js';
import { setFileAccess } from '../files.js';
import { nodeFiles } from '../node/files.js';
import { runProgram } from './program.js';
import { standardInput } from './standardInput.js';

let directory: string;
const at = (name: string) => join(directory, name);
beforeAll(() => setFileAccess(nodeFiles));
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'polybeam-redirect-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

async function run(args: string[], input: string[] = []) {
  const streams = fakeStreams(input);
  const code = await runProgram(args, streams);
  return { code, out: streams.out(), err: streams.err() };
}

/** n-best lists, of which the command `rerank` gives a line each, without a model. */
const lists = (count: number) =>
  Array.from({ length: count }, (_, line) => {
    const sequences = ['a b', `c d ${line}`, 'a b c'].map((text) => ({ text }));
    return `${JSON.stringify({ sequences })}\n`;
  });

describe('--input and --output', () => {
  test('take the place of standard input and output, for more lines than wait in memory', async () => {
    const lines = lists(500);
    writeFileSync(at('in.jsonl'), lines.join(''));
    const wanted = (await run(['rerank'], lines)).out;
    expect(wanted.split('\n')).toHaveLength(501);
    const found = await run(['rerank', '--input', at('in.jsonl'), '--output', at('new/out.jsonl')]);
    expect(found).toEqual({ code: 0, out: '', err: '' });
    expect(readFileSync(at('new/out.jsonl'), 'utf8')).toBe(wanted);
    expect(readdirSync(at('new'))).toEqual(['out.jsonl']);
  });

  test('reads all members of a gzip file', async () => {
    const lines = lists(4);
    const members = [lines.slice(0, 2), lines.slice(2)].map((part) => gzipSync(part.join('')));
    writeFileSync(at('in.gz'), Buffer.concat(members));
    const wanted = (await run(['rerank'], lines)).out;
    expect((await run(['rerank', '--input', at('in.gz')])).out).toBe(wanted);
    writeFileSync(at('in.jsonl'), Buffer.concat(members));
    expect((await run(['rerank', '--input', at('in.jsonl')])).out).toBe(wanted);
  });

  test('an empty file has no lines, whatever its name, and plain text is not taken for gzip', async () => {
    writeFileSync(at('empty.gz'), '');
    expect(await run(['rerank', '--input', at('empty.gz')])).toEqual({ code: 0, out: '', err: '' });
    writeFileSync(at('plain.gz'), lists(1).join(''));
    expect((await run(['rerank', '--input', at('plain.gz')])).err).toContain('plain.gz is not a gzip file');
  });

  test('an output that is not completed leaves the old one, and nothing else', async () => {
    writeFileSync(at('in.jsonl'), `${lists(3).join('')}{\n`);
    writeFileSync(at('out.jsonl'), 'old');
    const { code, err } = await run(['rerank', '--input', at('in.jsonl'), '--output', at('out.jsonl')]);
    expect([code, err]).toEqual([1, expect.stringContaining('Input 4 is not JSON')]);
    expect(readFileSync(at('out.jsonl'), 'utf8')).toBe('old');
    expect(readdirSync(directory).sort()).toEqual(['in.jsonl', 'out.jsonl']);
  });

  test('may be the same file, and a link stays one', async () => {
    const lines = lists(3);
    writeFileSync(at('lists'), lines.join(''));
    symlinkSync(at('lists'), at('link'));
    const wanted = (await run(['rerank'], lines)).out;
    expect((await run(['rerank', '--input', at('link'), '--output', at('link')])).code).toBe(0);
    expect(readFileSync(at('lists'), 'utf8')).toBe(wanted);
    expect(lstatSync(at('link')).isSymbolicLink()).toBe(true);
  });

  test('that cannot be used are refused by name', async () => {
    mkdirSync(at('folder'));
    writeFileSync(at('cut.gz'), gzipSync(lists(100).join('')).subarray(0, 60));
    writeFileSync(at('in'), lists(1).join(''));
    const refused = async (...args: string[]) =>
      (await run(['rerank', ...args])).err.replaceAll(directory, 'D');
    expect([
      await refused('--input', at('absent')),
      await refused('--input', at('folder')),
      await refused('--input', at('cut.gz')),
      await refused('--input', at('in'), '--output', at('folder')),
      await refused('--input', at('in'), '--output', '/dev/null'),
      await refused('--input', at('in'), '--output', at('out.gz')),
    ]).toEqual([
      'polybeam: --input D/absent does not exist: give a readable file. [FILE_NOT_FOUND]\n',
      'polybeam: --input D/folder is a directory: give a readable file. [FILE_NOT_FOUND]\n',
      expect.stringMatching(
        /^polybeam: --input D\/cut\.gz is a damaged gzip file \(.*\): .* \[FILE_CORRUPT\]\n$/,
      ),
      'polybeam: --output D/folder is a directory: name a file in it. [FILE_WRITE]\n',
      'polybeam: --output /dev/null is no regular file: leave --output out and redirect standard output, as in > /dev/null. [FILE_WRITE]\n',
      'polybeam: --output D/out.gz would be plain text under the name of a compressed file; leave .gz out, and compress it afterwards. [OPTION_INVALID]\n',
    ]);
  });

  test('Ctrl-C leaves nothing of an output', async () => {
    const main = resolve(import.meta.dirname, 'main.ts');
    const child = spawn(process.execPath, ['--import', 'tsx', main, 'rerank', '--output', at('out')]);
    const ended = new Promise((end) => child.on('exit', end));
    child.stdin.write(lists(1).join(''));
    while (readdirSync(directory).length === 0) await new Promise((next) => setTimeout(next, 20));
    child.kill('SIGINT');
    expect(await ended).toBe(130);
    expect(readdirSync(directory)).toEqual([]);
  });
});

describe('the name of a file as an argument', () => {
  test('is translated, with a hint', async () => {
    const path = at('text.txt');
    writeFileSync(path, 'A free game.\n');
    const { code, out, err } = await run(['translate', path, 'A free game.']);
    expect([code, out.split('\n')[1]]).toEqual([0, 'Il s’agit d’un jeu libre.']);
    expect(err).toBe(
      `polybeam: warning: "${path}" is a file, but here it is a text; --input ${path} reads the lines of the file.\n`,
    );
    expect((await run(['translate', '--input', path])).out).toBe('Il s’agit d’un jeu libre.\n');
    expect(await run(['translate', '--input', path, 'A free game.'])).toEqual({
      code: 2,
      out: '',
      err: `polybeam: --input ${path} does not go with texts as arguments ("A free game."); leave one of them out. [OPTION_CONFLICT]\n`,
    });
  });

  test.each(['generate', 'score', 'forward', 'rerank'])(
    'is refused with a hint where none is taken: %s',
    async (name) => {
      expect(await run([name, 'in.jsonl'])).toEqual({
        code: 2,
        out: '',
        err: `polybeam: ${name} takes no argument, but "in.jsonl" was given: a file of lines is named by --input. [OPTION_INVALID]\n`,
      });
    },
  );
});

test.each([['translate'], ['rerank'], ['evaluate', 'bleu', '--reference', 'README.md']])(
  'a directory as standard input is refused: %s',
  async (...args) => {
    const descriptor = openSync(directory, 'r');
    try {
      // As process.stdin is for a directory: a stream that ends at once.
      const streams = { ...fakeStreams(), ...standardInput(fakeStreams().stdin, descriptor) };
      expect(await runProgram(args, streams)).toBe(1);
      expect(streams.err()).toBe(
        'polybeam: Standard input is a directory: give a file, such as < input.txt. [INPUT_INVALID]\n',
      );
      expect(streams.out()).toBe('');
    } finally {
      closeSync(descriptor);
    }
  },
);
