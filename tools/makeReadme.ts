/**
 * Writes the README's table of times and docs/speed.svg from docs/benchmarks.md: `npm run docs`. With `--check` it writes nothing
 * and fails where one of them is out of date.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { readComparedRows } from './readme/benchmarkRows.js';
import { speedPlot, speedTable } from './readme/speed.js';

const start = '<!-- speed: made by `npm run docs` from docs/benchmarks.md -->';
const end = '<!-- end of speed -->';

function withTable(readme: string, table: string): string {
  const [before, rest] = readme.split(start);
  const after = rest?.split(end)[1];
  if (after === undefined) throw new Error(`README.md lacks the lines "${start}" and "${end}".`);
  return `${before}${start}\n${table}\n${end}${after}`;
}

const rows = readComparedRows(readFileSync('docs/benchmarks.md', 'utf8'));
const readme = readFileSync('README.md', 'utf8');
const made: Record<string, string> = {
  'README.md': withTable(readme, speedTable(rows)),
  'docs/speed.svg': `${speedPlot(rows)}\n`,
};
for (const [path, content] of Object.entries(made)) {
  if (!process.argv.includes('--check')) writeFileSync(path, content);
  else if (readIfThere(path) !== content) {
    console.error(`${path} is out of date: run \`npm run docs\` and commit it.`);
    process.exitCode = 1;
  }
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
