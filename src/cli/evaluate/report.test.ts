import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { parseHTML } from 'linkedom';
import { afterAll, describe, expect, it } from 'vitest';
import { corpusBleu } from '../../../eval/bleu.js';
import { corpusChrf } from '../../../eval/chrf.js';
import { setFileAccess } from '../../files.js';
import { nodeFiles } from '../../node/files.js';
import { evaluateCommand } from '../evaluate.js';

setFileAccess(nodeFiles);
const directory = mkdtempSync(join(tmpdir(), 'polybeam-report-'));
afterAll(() => rmSync(directory, { recursive: true }));
function file(name: string, lines: string[]): string {
  const path = join(directory, name);
  writeFileSync(path, lines.map((line) => `${line}\n`).join(''));
  return path;
}
const references = ['the cat sat on the mat', 'a dog runs fast', 'one two three four'];
const baseline = ['cat on mat', 'the dog ran', 'one two four'];
const output = ['the cat sat on a mat', 'a dog runs fast', 'one two three'];
const paths = {
  reference: file('reference', references),
  source: file('source', ['le chat', 'un chien', 'un deux trois quatre']),
  baseline: file('baseline.txt', baseline),
  output: file('output.txt', output),
  aligned: file(
    'aligned',
    baseline.map((text) => `${text}\t0-0 1-1`),
  ),
};

async function run(args: string[]) {
  let stdout = '';
  const streams = {
    stdin: (async function* (): AsyncGenerator<string> {})(),
    stdout: { write: (piece: string) => (stdout += piece) },
    stderr: { write: () => '' },
  };
  const program = new Command('polybeam').exitOverride();
  program.addCommand(evaluateCommand(streams));
  await program.parseAsync(['evaluate', 'report', '--reference', paths.reference, ...args], { from: 'user' });
  return stdout;
}

describe('polybeam evaluate report', () => {
  it('prints scores, statistics and signatures as text', async () => {
    const text = await run([paths.output, '--metrics', 'bleu,chrf', '--samples', '50', '--width', '2']);
    const [scores, statistics, signatures] = text.split('\n\n').map((part) => part.split('\n'));
    expect(scores[0].trim()).toBe('output.txt');
    expect(scores[1]).toMatch(
      new RegExp(`^BLEU +${corpusBleu(output, [references]).score.toFixed(2)} ± \\d+\\.\\d\\d$`),
    );
    expect(scores).toHaveLength(3);
    expect(statistics[0].trim()).toMatch(/^output\.txt +reference$/);
    expect(signatures[1]).toMatch(/^chrF2\|nrefs:1\|bs:50\|seed:12345\|/);
  });

  it('prints JSON of several systems, with p-values against the first', async () => {
    const args = ['--metrics', 'chrf,rougeL', '--samples', '50', '--json'];
    const json = JSON.parse(await run([paths.baseline, paths.output, '--source', paths.source, ...args]));
    expect(json.lines).toBe(3);
    expect(json.systems.map((row: { system: string }) => row.system)).toEqual(['baseline.txt', 'output.txt']);
    const { scores, statistics } = json.systems[1];
    expect(Object.keys(scores)).toEqual(['chrF2', 'ROUGE-L']);
    expect(scores.chrF2.score).toBe(corpusChrf(output, [references]).score);
    expect(scores.chrF2.low).toBeLessThanOrEqual(scores.chrF2.high);
    expect(scores.chrF2.p_value).toBeGreaterThan(0);
    expect(json.systems[0].scores.chrF2.p_value).toBeNull();
    expect(statistics.novelty).toHaveLength(4);
    expect(statistics).not.toHaveProperty('lengths');
    expect(json.reference.statistics.lines).toBe(3);
  });

  it('writes a page in one piece and prints nothing', async () => {
    const page = join(directory, 'pages', 'report.html');
    const shown = ['--source', paths.source, '--alignments', paths.aligned, '--examples', '2'];
    const written = ['--html', page, '--title', 'Tests & more', '--samples', '20'];
    expect(await run([paths.baseline, paths.output, ...shown, ...written])).toBe('');
    expect(readdirSync(join(directory, 'pages'))).toEqual(['report.html']);
    const { document } = parseHTML(readFileSync(page, 'utf8'));
    expect(document.querySelector('h1')?.textContent).toBe('Tests & more');
    expect(document.querySelectorAll('article')).toHaveLength(4);
    expect(document.querySelectorAll('.alignment')).toHaveLength(2);
    expect(document.querySelector('th:nth-child(3)')?.textContent).toBe('output.txt');
  });

  const page = join(directory, 'refused.html');
  it.each([
    [['--json', '--html', page], 'OPTION_CONFLICT', '--json and --html exclude each other'],
    [['--alignments', paths.aligned], 'OPTION_CONFLICT', '--alignments are drawn on the page'],
    [
      [
        '--alignments',
        paths.aligned,
        '--alignments',
        paths.aligned,
        '--html',
        page,
        '--source',
        paths.source,
      ],
      'OPTION_CONFLICT',
      'There are 2 --alignments for 1 of the hypotheses',
    ],
    [
      ['--alignments', paths.source, '--html', page, '--source', paths.source],
      'INPUT_INVALID',
      `"${paths.source}", line 1, has 2 rows of weights`,
    ],
    [['--metrics', 'bleu,comet'], 'OPTION_INVALID', '--metrics of evaluate report'],
    [['--samples', '1'], 'OPTION_INVALID', '--samples of evaluate report'],
  ])('refuses %j', async (flags, code, message) => {
    await expect(run([paths.baseline, ...flags])).rejects.toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(message) }),
    );
    expect(existsSync(page)).toBe(false);
  });
});
