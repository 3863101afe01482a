import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadTokenizer } from '../../../src/text/loadTokenizer.js';
import { saveTokenizer } from '../../../src/text/saveTokenizer.js';
import type { Tokenizer } from '../../../src/text/tokenizer.js';
import { trainJointVocabulary } from '../../../src/xlm/jointVocabulary.js';

/** Words of two made-up languages, word n of one the translation of word n of the other. */
export const words = {
  en: ['red', 'car', 'blue', 'house', 'the', 'old', 'green', 'tree', 'stands', 'here'],
  de: ['rotes', 'Auto', 'blaues', 'Haus', 'das', 'altes', 'grünes', 'Bäumchen', 'steht', 'hier'],
};

/** Sentences of 4 to 7 words and a full stop. */
export function sentences(language: keyof typeof words, count: number): string[] {
  return Array.from(
    { length: count },
    (_, at) =>
      `${Array.from({ length: 4 + (at % 4) }, (_, i) => words[language][(at * 3 + i * (1 + (at % 3))) % 10]).join(' ')}.`,
  );
}

/** A joint vocabulary of both, small enough that long words are several tokens. */
export async function tinyTokenizer(size = 62): Promise<{ tokenizer: Tokenizer; directory: string }> {
  const directory = await mkdtemp(join(tmpdir(), 'polybeam-cmlm-'));
  const { tokenizer } = await trainJointVocabulary(
    { en: () => [sentences('en', 60)], de: () => [sentences('de', 60)] },
    { size, minFrequency: 1 },
  );
  await saveTokenizer(directory, tokenizer);
  return { tokenizer: await loadTokenizer(directory), directory };
}

/** A table of every word, and of pairs of words that stand beside each other: two translations each. */
export async function tinyTable(
  directory: string,
  from: keyof typeof words,
  extra: readonly string[] = [],
): Promise<string> {
  const to = from === 'en' ? 'de' : 'en';
  const lines = [...extra];
  words[from].forEach((word, at) => {
    const next = (at + 1) % 10;
    lines.push(`${word}\t${words[to][at]}\t0.75`, `${word}\t${words[to][next]}\t0.25`);
    lines.push(`${word} ${words[from][next]}\t${words[to][at]} ${words[to][next]}\t1`);
  });
  const order = (line: string) => line.split('\t');
  lines.sort((a, b) =>
    order(a)[0] === order(b)[0]
      ? Number(order(b)[2]) - Number(order(a)[2])
      : order(a)[0] < order(b)[0]
        ? -1
        : 1,
  );
  const path = join(directory, `${from}-${to}.tsv`);
  await writeFile(path, `${lines.join('\n')}\n`);
  return path;
}
