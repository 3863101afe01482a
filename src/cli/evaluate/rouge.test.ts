import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { evaluateCommand } from '../evaluate.js';

type Triple = [precision: number, recall: number, fmeasure: number];
const { corpora, cases } = JSON.parse(readFileSync('test/fixtures/eval/rouge.json', 'utf8')) as {
  corpora: Record<string, [string[], string[][]]>;
  cases: { corpus: string; stemmer: boolean; lines: Record<string, Triple[]> }[];
};

// Lines of a file have no line feed within; Lsum needs a separator in its place.
const inLine = (text: string) => text.replaceAll('\n', '<n>').replaceAll(/[\r\u2028]/g, ' ');
const [hypotheses, references] = corpora.one;
const rows = hypotheses.map((text, i) => [inLine(text), inLine(references[0][i])]);
const expected = cases.find((c) => c.corpus === 'one' && c.stemmer)!.lines;

/** What the last run wrote to standard error. */
let warnings = '';

async function run(args: string[], input: string) {
  warnings = '';
  let stdout = '';
  async function* stdin() {
    yield input;
  }
  const program = new Command('polybeam').exitOverride();
  const streams = {
    stdout: { write: (text: string) => (stdout += text) },
    stderr: { write: (text: string) => (warnings += text) },
  };
  program.addCommand(evaluateCommand({ stdin: stdin(), ...streams }));
  await program.parseAsync(['evaluate', 'rouge', ...args], { from: 'user' });
  return stdout;
}

async function withFile(args: string[], lines = rows) {
  const directory = mkdtempSync(join(tmpdir(), 'polybeam-rouge-'));
  try {
    const path = join(directory, 'reference');
    writeFileSync(path, lines.map((row) => `${row[1]}\n`).join(''));
    return await run(['--reference', path, ...args], lines.map((row) => `${row[0]}\n`).join(''));
  } finally {
    rmSync(directory, { recursive: true });
  }
}

describe('polybeam evaluate rouge', () => {
  const stemmed = ['--stemmer', '--sentence-separator', '<n>'];

  it("prints rouge-score's means as JSON, to the last digits", async () => {
    const result = JSON.parse(await withFile([...stemmed, '--json']));
    expect(Object.keys(result)).toEqual(['name', 'signature', 'rouge1', 'rouge2', 'rougeL', 'rougeLsum']);
    for (const type of ['rouge1', 'rouge2', 'rougeL', 'rougeLsum']) {
      for (const [j, key] of ['precision', 'recall', 'fmeasure'].entries()) {
        const mean = expected[type].reduce((sum, line) => sum + line[j], 0) / rows.length;
        expect(Math.abs(result[type][key] - mean)).toBeLessThan(1e-9);
      }
    }
    expect(result.rouge1).not.toHaveProperty('confidence');
  });

  it('warns of references without Latin letters, and only of these', async () => {
    await withFile([]);
    expect(warnings).toBe('');
    const lines = [
      ['Кошка спит.', 'Кошка спит.'],
      ['the cat', 'the cat'],
    ];
    const scores = (await withFile([], lines))
      .match(/^rouge1 .*$/m)?.[0]
      .split(/ +/)
      .slice(1);
    expect(scores).toEqual(['0.5000', '0.5000', '0.5000']);
    expect(warnings).toMatch(/^polybeam: warning: ROUGE makes words .* 1 of 2 references .* chrF .*\n$/);
  });

  it('adds intervals that hold the means and depend on the seed alone', async () => {
    const args = [...stemmed, '--json', '--confidence', '--confidence-n', '400'];
    const first = await withFile([...args, '--seed', '1']);
    const { rouge1 } = JSON.parse(first);
    for (const key of ['precision', 'recall', 'fmeasure']) {
      const { low, mid, high } = rouge1.confidence;
      expect(low[key]).toBeLessThan(rouge1[key]);
      expect(high[key]).toBeGreaterThan(rouge1[key]);
      expect(Math.abs(mid[key] - rouge1[key])).toBeLessThan((high[key] - low[key]) / 8);
    }
    expect(await withFile([...args, '--seed', '1'])).toBe(first);
    expect(await withFile([...args, '--seed', '2'])).not.toBe(first);
  });

  it('prints a table, with ranges where asked', async () => {
    const lines = [
      ['the cat', 'the cat sat'],
      ['a dog', 'a dog'],
    ];
    expect(await withFile(['--types', 'rouge1,rougeL', '--width', '2'], lines)).toBe(
      'ROUGE|nrefs:1|tok:rouge|stem:no|version:rouge-score-0.1.2\n' +
        '        precision  recall  F\n' +
        'rouge1  1.00       0.83    0.90\n' +
        'rougeL  1.00       0.83    0.90\n',
    );
    const ranged = await withFile(['--types', 'rouge2', '--confidence', '--width', '2'], lines);
    expect(ranged).toContain('rouge2  1.00 (1.00-1.00)  0.75 (0.50-1.00)  0.83 (0.67-1.00)');
  });

  it('prints values of each line', async () => {
    const lines = [
      ['the cat', 'the cat sat'],
      ['a', 'b'],
    ];
    expect(await withFile(['--types', 'rouge1', '--sentence-level', '--width', '1'], lines)).toBe(
      '0.8\n0.0\n',
    );
    const json = await withFile(['--types', 'rouge2,rouge1', '--sentence-level', '--json'], lines);
    expect(json.split('\n').map((line) => line && JSON.parse(line))).toEqual([
      {
        rouge2: { precision: 1, recall: 0.5, fmeasure: 2 / 3 },
        rouge1: { precision: 1, recall: 2 / 3, fmeasure: 0.8 },
      },
      {
        rouge2: { precision: 0, recall: 0, fmeasure: 0 },
        rouge1: { precision: 0, recall: 0, fmeasure: 0 },
      },
      '',
    ]);
  });

  it.each([
    [['--types', 'rouge1,bleu'], 'OPTION_INVALID', '--types of evaluate rouge cannot be ["rouge1","bleu"]'],
    [['--seed', '1'], 'OPTION_CONFLICT', '--seed has no meaning without --confidence'],
    [['--confidence-n', '9'], 'OPTION_CONFLICT', '--confidence-n has no meaning without --confidence'],
    [['--confidence', '--confidence-n', 'many'], 'OPTION_INVALID', '--confidence-n cannot be "many"'],
    [['--confidence', '--seed', '-1'], 'OPTION_INVALID', '--seed cannot be "-1"'],
    [['--confidence', '--sentence-level'], 'OPTION_CONFLICT', '--confidence and --sentence-level'],
    [['--width', 'x'], 'OPTION_INVALID', '--width cannot be "x"'],
  ])('refuses %j', async (args, code, message) => {
    await expect(withFile(args)).rejects.toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(message) }),
    );
  });
});
