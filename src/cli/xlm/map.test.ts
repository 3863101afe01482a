import '../../node/install.js';
import { access, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { fakeStreams } from '../../../test/support/cli/fakeStreams.js';
import { readVectors, writeVectors } from '../../xlm/vectors/vectorFile.js';
import { runProgram } from '../program.js';

const directory = await mkdtemp(join(tmpdir(), 'polybeam-map-'));
const at = (name: string) => join(directory, name);
const { words, vectors, cases } = JSON.parse(await readFile('test/fixtures/xlm/mapping.json', 'utf8'));
for (const [side, name] of ['en.vec', 'de.vec'].entries()) {
  const rows: number[][] = vectors[side];
  await writeVectors(at(name), { words: words[side], size: 6, values: Float32Array.from(rows.flat()) });
}

async function run(...args: string[]) {
  const streams = fakeStreams();
  const code = await runProgram(args, streams);
  return { code, out: streams.out(), err: streams.err() };
}

const files = (name: string) => [
  ...['--source', at('en.vec'), '--target', at('de.vec')],
  ...['--output-source', at(`${name}.en.vec`), '--output-target', at(`${name}.de.vec`)],
  ...['--report', at(`${name}.json`)],
];
const reference = [
  ...['--keep-probability', '1', '--vocabulary-size', '36', '--seed-vocabulary-size', '30'],
  ...['--neighborhood', '4', '--patience', '3', '--threads', '1'],
];
const exists = (path: string) =>
  access(path).then(
    () => true,
    () => false,
  );

test('vectors are mapped from files to files, with a report, and evaluated by a dictionary', async () => {
  const made = await run('xlm', 'map', ...files('mapped'), ...reference, '--seed-dictionary', 'identical');
  expect(made).toMatchObject({ code: 0, err: '' });
  expect(made.out).toMatch(
    /^7 iterations from 14 pairs, objective 0\.9280; nearest at cosine 0\.\d+ and .*80\.6 %/,
  );
  const report = JSON.parse(await readFile(at('mapped.json'), 'utf8'));
  expect(report).toMatchObject({ seedDictionary: 'identical', converged: true, iterations: 7 });
  report.objectives.forEach((objective: number, step: number) => {
    expect(objective).toBeCloseTo(cases[1].objectives[step], 4);
  });
  const mapped = await readVectors(at('mapped.de.vec'));
  expect([mapped.words, mapped.size]).toEqual([words[1], 6]);

  const lines = words[1].map((word: string, row: number) => `${words[0][row]}\t${word.toUpperCase()}\n`);
  await writeFile(at('gold.tsv.gz'), gzipSync(lines.join('')));
  const evaluate = ['evaluate', 'lexicon', '--dictionary', at('gold.tsv.gz'), '--lowercase'];
  const pair = [at('mapped.en.vec'), at('mapped.de.vec')];
  const measured = await run(...evaluate, '--json', '--precision-at', '1,41', ...pair);
  const { precision, coverage, words: count } = JSON.parse(measured.out);
  expect([precision[41], coverage, count]).toEqual([1, 1, 41]);
  expect(precision[1]).toBeGreaterThan(0.5);
  const table = await run(...evaluate, '--limit', '30', ...pair);
  expect(table.out).toMatch(/^P@1 +\d+\.\d %\nP@5 +\d+\.\d %\ncoverage +73\.2 %\nwords +30\n$/);
});

test('a mapping that failed ends with 1, its report written and its vectors not, unless it is to be kept', async () => {
  const failing = [...reference, '--seed-dictionary', 'identical', '--max-iterations', '2'];
  const failed = await run('xlm', 'map', ...files('failed'), ...failing);
  expect(failed).toMatchObject({ code: 1, out: '' });
  expect(failed.err).toMatch(
    /objective 0\.9\d+ and is not used, since it still improved.*\[MAPPING_FAILED\]\n$/,
  );
  expect(JSON.parse(await readFile(at('failed.json'), 'utf8'))).toMatchObject({
    converged: false,
    iterations: 2,
  });
  expect(await exists(at('failed.en.vec'))).toBe(false);
  const kept = await run('xlm', 'map', ...files('kept'), ...failing, '--keep-failed');
  expect(kept).toMatchObject({
    code: 0,
    err: expect.stringContaining('warning: the mapping failed and is kept'),
  });
  expect(await exists(at('kept.en.vec'))).toBe(true);
});

test('what is missing or conflicts is refused before anything is read, with flags spelled as flags', async () => {
  expect((await run('xlm', 'map', '--source', at('en.vec'))).err).toContain('--target is missing');
  const conflict = await run('xlm', 'map', ...files('x'), '--dictionary', 'none.tsv');
  expect(conflict).toMatchObject({
    code: 2,
    err: expect.stringContaining('--dictionary is read by --seed-dictionary'),
  });
  const same = files('x').with(5, at('x.de.vec')).with(7, at('x.de.vec'));
  expect((await run('xlm', 'map', ...same)).err).toContain('name the same file twice');
  expect((await run('evaluate', 'lexicon', at('en.vec'), at('de.vec'))).err).toContain(
    '--dictionary is missing',
  );
  const none = await run(
    'xlm',
    'map',
    ...files('x'),
    '--seed-dictionary',
    'dictionary',
    '--dictionary',
    at('none.tsv'),
  );
  expect(none).toMatchObject({ code: 1, err: expect.stringContaining('FILE_NOT_FOUND') });
});

test('words with no-break spaces, and words that come twice, are mapped into files that a table can be built of', async () => {
  const lines = (await readFile(at('en.vec'), 'utf8')).trimEnd().split('\n').slice(1);
  const numbers = lines[0].slice(lines[0].indexOf(' '));
  const odd = [`25\u00a0000${numbers}`, `\ufeff${lines[1]}`, lines[2]];
  await writeFile(at('odd.vec'), `${lines.length + 3} 6\n${[...lines, ...odd].join('\n')}\n`);
  const args = files('odd').with(1, at('odd.vec'));
  const made = await run(
    'xlm',
    'map',
    ...args,
    ...reference,
    '--seed-dictionary',
    'identical',
    '--keep-failed',
  );
  expect(made.code).toBe(0);
  expect(made.err).toContain(
    `polybeam: warning: ${at('odd.vec')} has 1 vector of words that it has before, such as "${words[0][2]}": the first of each is taken.\n`,
  );
  const found = (await readVectors(at('odd.en.vec'))).words;
  expect(found).toEqual([...words[0], '25\u00a0000', `\ufeff${words[0][1]}`]);
  const built = await run(
    'xlm',
    'table',
    'build',
    ...['--source', at('odd.en.vec'), '--target', at('odd.de.vec')],
    '--output',
    at('odd.tsv'),
  );
  expect(built).toMatchObject({ code: 0, err: '' });
  expect(await readFile(at('odd.tsv'), 'utf8')).toMatch(/^25\u00a0000\t/m);
});
