import levenshtein from 'fast-levenshtein';
import type { TranslationTable } from './translationTable.js';

/**
 * The n-grams of a table that are spelled most like one that it may lack, the likest first: those that need fewer edits than a third of
 * the letters, whatever the case. Reads the whole table.
 */
export function nearSources(table: TranslationTable, ngram: string, count: number): string[] {
  const wanted = ngram.toLowerCase();
  const most = Math.max(1, Math.floor(wanted.length / 3));
  const near: { source: string; edits: number }[] = [];
  for (const source of table.sources()) {
    if (Math.abs(source.length - wanted.length) > most) continue;
    const edits = levenshtein.get(wanted, source.toLowerCase());
    if (edits <= most) near.push({ source, edits });
  }
  return near
    .sort((a, b) => a.edits - b.edits)
    .slice(0, count)
    .map(({ source }) => source);
}
