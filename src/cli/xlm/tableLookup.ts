import { Command } from 'commander';
import { PolybeamError } from '../../errors.js';
import { nearSources } from '../../xlm/table/nearSources.js';
import { openTable, type Translation, type TranslationTable } from '../../xlm/table/translationTable.js';
import { requireFlag } from '../flags.js';
import { type CommandStreams, warn } from '../streams.js';

interface LookupFlags {
  table?: string;
  json?: boolean;
}

/** Near spellings that are named where an n-gram is not in the table. */
const suggestions = 3;

/** `polybeam xlm table lookup`: what a table says of n-grams. */
export function tableLookupCommand(streams: CommandStreams = process): Command {
  return new Command('lookup')
    .description(
      'Print the translations of n-grams and their probabilities. For n-grams that are not in the table, similar ones are listed.',
    )
    .argument('<n-grams...>', 'words or n-grams; put an n-gram of several words in quotes')
    .option('--table <file>', 'table, as polybeam xlm table build writes it (.gz is unpacked)')
    .option(
      '--json',
      'print {"source", "translations"} for each n-gram, with "near" if it is not in the table',
    )
    .addHelpText(
      'after',
      `
Examples:
  $ polybeam xlm table lookup --table en-de.tsv "red car"
  $ polybeam xlm table lookup --table en-de.tsv dog "a dog" --json`,
    )
    .action((ngrams: string[], flags: LookupFlags) => lookup(ngrams, flags, streams));
}

async function lookup(ngrams: string[], flags: LookupFlags, streams: CommandStreams): Promise<void> {
  const path = requireFlag(flags.table, '--table');
  await import('../../node/install.js');
  const table = await openTable(path);
  const wanted = ngrams.map((ngram) => ngram.trim().split(/\s+/).join(' '));
  for (const source of wanted) {
    if (flags.json) streams.stdout.write(`${jsonLine(table, source)}\n`);
    else if (table.has(source)) streams.stdout.write(block(source, table.get(source)));
    else if (wanted.length > 1) warn(streams, absence(table, source, path));
  }
  if (flags.json || wanted.some(table.has)) return;
  if (wanted.length === 1) throw new PolybeamError('INPUT_INVALID', absence(table, wanted[0], path));
  throw new PolybeamError(
    'INPUT_INVALID',
    `${path} has none of these n-grams; check their spelling and case.`,
  );
}

function jsonLine(table: TranslationTable, source: string): string {
  const translations = table.get(source);
  const near = translations.length === 0 ? nearSources(table, source, suggestions) : undefined;
  return JSON.stringify({ source, translations, near });
}

function block(source: string, translations: readonly Translation[]): string {
  const width = Math.max(...translations.map(({ target }) => target.length));
  const lines = translations.map(
    ({ target, probability }) => `  ${target.padEnd(width)}  ${probability.toFixed(4)}\n`,
  );
  return `${source}\n${lines.join('')}`;
}

function absence(table: TranslationTable, source: string, path: string): string {
  const near = nearSources(table, source, suggestions);
  const remedy =
    near.length > 0
      ? `did you mean ${near.map((other) => `"${other}"`).join(', ')}?`
      : 'nothing there is spelled like it.';
  return `${path} does not have "${source}"; ${remedy}`;
}
