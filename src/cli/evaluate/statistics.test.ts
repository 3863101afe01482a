import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { afterAll, describe, expect, it } from 'vitest';
import { textStatistics } from '../../../eval/textStatistics.js';
import { evaluateCommand } from '../evaluate.js';

const directory = mkdtempSync(join(tmpdir(), 'polybeam-statistics-'));
afterAll(() => rmSync(directory, { recursive: true }));
function file(name: string, lines: string[]): string {
  const path = join(directory, name);
  writeFileSync(path, lines.map((line) => `${line}\n`).join(''));
  return path;
}
const texts = ['the cat the cat', 'a dog', ''];
const sources = ['the cat sat there', 'it was a dog', 'x'];
const references = ['the cat', 'a dog', 'y'];
const [text, source, reference] = [
  file('text', texts),
  file('source', sources),
  file('reference', references),
];

async function run(args: string[]) {
  let stdout = '';
  const streams = {
    stdin: (async function* () {
      yield texts.map((line) => `${line}\n`).join('');
    })(),
    stdout: { write: (piece: string) => (stdout += piece) },
    stderr: { write: () => '' },
  };
  const program = new Command('polybeam').exitOverride();
  program.addCommand(evaluateCommand(streams));
  await program.parseAsync(['evaluate', ...args], { from: 'user' });
  return stdout;
}

describe('polybeam evaluate statistics', () => {
  it('prints JSON of the text and the reference, without the lengths line by line', async () => {
    const flags = ['--source', source, '--reference', reference, '--max-ngram-order', '2', '--json'];
    const [ours, theirs] = JSON.parse(await run(['statistics', text, ...flags]));
    const options = { maxNgramOrder: 2 };
    const beside = { source: sources, reference: references };
    const { lengths: _, ...expected } = textStatistics(texts, beside, options);
    expect(ours).toEqual({ text, ...expected });
    const { lengths: __, ...expectedOther } = textStatistics(references, { source: sources }, options);
    expect(theirs).toEqual({ text: `${reference} (reference)`, ...expectedOther });
  });

  it('prints a table, from standard input too', async () => {
    const table = await run(['statistics', '--max-ngram-order', '1', '--width', '2']);
    expect(table.replaceAll(/ {2,}/g, ' | ')).toBe(
      [
        ' | -',
        'lines | 3',
        'empty lines | 1',
        'words, mean ± deviation | 2.0 ± 1.6',
        'words, least to most | 0 1 2 3 4',
        'characters, mean ± deviation | 6.7 ± 6.2',
        'characters, least to most | 0 2.5 5 10 15',
        'distinct-1 | 0.67',
        'repetition-1 | 0.25',
        '',
      ].join('\n'),
    );
    const [head, ...rows] = (await run(['statistics', text, '--source', source])).split('\n');
    expect(head.trim()).toBe(text);
    expect(rows.map((row) => row.split(' ')[0])).toEqual(
      expect.arrayContaining(['novelty-1', 'novelty-4', 'compression']),
    );
  });

  it.each([
    [['--tokenize', 'spm'], 'OPTION_INVALID', '"spm" is not implemented'],
    [['--max-ngram-order', '0'], 'OPTION_INVALID', '--max-ngram-order of evaluate statistics'],
    [['--source', 'missing'], 'FILE_NOT_FOUND', '"missing" does not exist'],
    [['--source', '-', '--reference', '-'], 'OPTION_CONFLICT', 'Only one of'],
  ])('refuses %j', async (flags, code, message) => {
    await expect(run(['statistics', text, ...flags])).rejects.toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(message) }),
    );
  });
});

describe('polybeam evaluate wer and cer', () => {
  it('print one line with a signature', async () => {
    expect(await run(['wer', '--reference', reference, text])).toBe(
      'WER|nrefs:1|case:mixed|nfc:no|unit:word = 60.0\n',
    );
    expect(await run(['cer', '--reference', reference, text, '--nfc', '--width', '2'])).toBe(
      'CER|nrefs:1|case:mixed|nfc:yes|unit:code-point = 69.23\n',
    );
    expect(await run(['wer', '--reference', reference, text, '--sentence-level', '--score-only'])).toBe(
      '100.0\n0.0\n100.0\n',
    );
  });
});
