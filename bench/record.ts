import { formatTable, type ReportedRow } from './rows.js';

/** A run of one bench. */
export interface Recorded {
  /** Name of the bench: the heading of its section. */
  bench: string;
  command: string;
  /** The machine and the versions, then what was noted about the run. */
  notes: readonly string[];
  rows: readonly ReportedRow[];
}

const title = '# Benchmarks';

/** First lines of a page without any section. */
const preamble = `${title}

Times are milliseconds: per step for decode, per batch for train. A ratio above 1 says that polybeam is faster. Written by
\`npm run --silent bench -- BENCH --record FILE\`; [the guide](guides/benchmarks.md) says what is measured.
`;

/**
 * Puts a run into a page of results: a section for each bench, in the order of their names, the last run of each.
 * @param page the page so far; empty for a new one
 */
export function recordRun(page: string, run: Recorded): string {
  const sections = new Map<string, string>();
  for (const part of page.split(/^(?=## )/m)) {
    const name = /^## (.*)$/m.exec(part)?.[1];
    if (part.startsWith('## ') && name !== undefined) sections.set(name, part.trimEnd());
  }
  sections.set(run.bench, describeRun(run));
  const sorted = [...sections].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, text]) => text);
  return `${[preamble.trimEnd(), ...sorted].join('\n\n')}\n`;
}

function describeRun({ bench, command, notes, rows }: Recorded): string {
  const told = notes.map((note) => `- ${note}`).join('\n');
  return `## ${bench}\n\n\`${command}\`\n\n${told}\n\n\`\`\`\n${formatTable(rows)}\`\`\``;
}
