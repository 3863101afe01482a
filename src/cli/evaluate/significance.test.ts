import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { evaluateCommand } from '../evaluate.js';

const { references, systems, cases } = JSON.parse(
  readFileSync('test/fixtures/eval/significance.json', 'utf8'),
) as {
  references: string[][];
  systems: Record<string, string[]>;
  cases: {
    seed: number;
    test: string;
    signatures: Record<string, string>;
    results: Record<
      string,
      { score: number; p_value: number | null; mean: number | null; ci: number | null }[]
    >;
  }[];
};
const expected = cases.find((c) => c.seed === 7 && c.test === 'bs')!;

let directory = '';
let paths: string[] = [];
let referenceFlags: string[] = [];
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'polybeam-significance-'));
  const write = (name: string, lines: string[]) => {
    writeFileSync(join(directory, name), lines.map((line) => `${line}\n`).join(''));
    return join(directory, name);
  };
  paths = Object.entries(systems).map(([name, lines]) => write(name, lines));
  referenceFlags = references.flatMap((lines, r) => ['--reference', write(`reference${r}`, lines)]);
});
afterAll(() => rmSync(directory, { recursive: true }));

async function run(args: string[]) {
  let stdout = '';
  const streams = {
    stdin: (async function* (): AsyncGenerator<string> {})(),
    stdout: { write: (text: string) => (stdout += text) },
    stderr: { write: () => '' },
  };
  const program = new Command('polybeam').exitOverride();
  program.addCommand(evaluateCommand(streams));
  await program.parseAsync(['evaluate', ...args], { from: 'user' });
  return stdout;
}

describe('polybeam evaluate compares systems', () => {
  it("as JSON with sacreBLEU's names and numbers", async () => {
    const args = ['--paired-bs', '--seed', '7', '--json'];
    const rows = JSON.parse(await run(['bleu', ...paths, ...referenceFlags, ...args]));
    expect(rows).toHaveLength(5);
    expect(rows[0].system).toBe(`Baseline: ${paths[0]}`);
    expect(rows[1].system).toBe(paths[1]);
    for (const [i, { BLEU }] of rows.entries()) {
      const theirs = expected.results.BLEU[i];
      expect(Object.keys(BLEU)).toEqual(['score', 'p_value', 'mean', 'ci']);
      for (const key of ['score', 'mean', 'ci'] as const) expect(BLEU[key]).toBeCloseTo(theirs[key]!, 4);
      if (i === 0) expect(BLEU.p_value).toBeNull();
      else expect(Math.abs(BLEU.p_value - theirs.p_value!)).toBeLessThan(0.0015);
    }
  });

  it('as a table with its signature, a star for what is significant', async () => {
    const [first, , , clearly] = paths;
    const args = ['--word-order', '2', '--paired-ar', '--paired-ar-n', '300', '--width', '2'];
    const text = await run(['chrf', first, clearly, ...referenceFlags, ...args]);
    const [signature, head, baseline, system, end] = text.split('\n');
    expect(signature).toMatch(/^chrF2\+\+\|nrefs:2\|ar:300\|seed:12345\|case:mixed\|/);
    expect(head).toMatch(/^system +chrF2\+\+ +p$/);
    const score = (i: number) => expected.results['chrF2++'][i].score.toFixed(2);
    expect(baseline).toBe(`Baseline: ${first}  ${score(0)}`);
    expect(system.replaceAll(/ +/g, ' ')).toBe(`${clearly} ${score(3)} 0.0033*`);
    expect(end).toBe('');
  });

  it('without a test where none is asked for, and ROUGE type by type', async () => {
    const text = await run(['ter', ...paths.slice(0, 2), ...referenceFlags]);
    expect(text).toContain(`${paths[0]}  ${expected.results.TER[0].score.toFixed(1)}\n`);
    expect(text).not.toContain('Baseline');
    const args = ['--types', 'rouge1,rougeL', '--paired-bs', '--json'];
    const rows = JSON.parse(await run(['rouge', paths[0], paths[3], ...referenceFlags, ...args]));
    expect(Object.keys(rows[1])).toEqual(['system', 'ROUGE-1', 'ROUGE-L']);
    expect(rows[1]['ROUGE-1'].score).toBeGreaterThan(50);
    expect(rows[1]['ROUGE-L'].p_value).toBeLessThan(0.05);
  });

  it.each([
    [[], ['--paired-bs'], 'OPTION_CONFLICT', '--paired-bs compares systems: give two files or more'],
    [[1], ['--confidence'], 'OPTION_CONFLICT', '--confidence is for one system'],
    [
      [1],
      ['--paired-bs', '--paired-ar'],
      'OPTION_CONFLICT',
      '--paired-bs and --paired-ar exclude each other',
    ],
    [[1], ['--paired-bs', '--paired-ar-n', '5'], 'OPTION_CONFLICT', '--paired-ar-n has no meaning without'],
    [[1], ['--seed', '5'], 'OPTION_CONFLICT', '--seed has no meaning without --confidence, --paired-bs or'],
    [
      [1],
      ['--paired-bs', '--paired-bs-n', '1'],
      'OPTION_INVALID',
      '--paired-bs-n cannot be "1": give a whole',
    ],
    [[1], ['--score-only'], 'OPTION_CONFLICT', '--score-only and several systems exclude each other'],
    [[1], ['--sentence-level'], 'OPTION_CONFLICT', '--sentence-level and several systems exclude each other'],
    [[], ['--sentence-level', '--confidence'], 'OPTION_CONFLICT', '--sentence-level and --confidence'],
  ])('and refuses %j with %j', async (others, flags, code, message) => {
    const files = [0, ...others].map((i) => paths[i]);
    await expect(run(['bleu', ...files, ...referenceFlags, ...flags])).rejects.toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(message) }),
    );
  });
});
