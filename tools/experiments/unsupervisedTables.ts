import { mkdir, readFile, writeFile } from 'node:fs/promises';
import {
  type DictionaryEntry,
  lexiconAccuracy,
  loadTokenizer,
  measureNgramTranslations,
  openTable,
  readDictionary,
  type TranslationTable,
} from '../../src/node.js';
import { readVectors } from '../../src/xlm/vectors/vectorFile.js';
import { table } from './experiment.js';
import { captions, languageData, languages, root } from './unsupervisedData.js';
import {
  foundation,
  mappedVectors,
  rowLength,
  startOf,
  tableOf,
  type Variant,
  variants,
  variantUpdatesText,
} from './unsupervisedRuns.js';

/*
 * How good the stages before translation are, English to German: mapped vectors and table by a dictionary, CMLM at masked n-grams.
 */

const lexicon = '../shared/data/lexicon/en-de.tsv.gz';

const variantTitles: Record<Variant, string> = {
  ngrams: 'n-gram table, alignment by similarity (IBM-2)',
  uniform: 'n-gram table, uniform alignment (IBM-1)',
  words: 'table of words, alignment by similarity',
};

const percent = (share: number) => `${(100 * share).toFixed(1)} %`;

/** Translations of each word of the dictionary. */
type Dictionary = Map<string, Set<string>>;

function dictionaryOf(entries: readonly DictionaryEntry[]): Dictionary {
  const found: Dictionary = new Map();
  for (const [word, translation] of entries) found.set(word, (found.get(word) ?? new Set()).add(translation));
  return found;
}

/** Whether each word of either side is a translation of one of the other. */
function translatesWordByWord(source: string, target: string, known: Dictionary): boolean {
  const [from, to] = [source.split(' '), target.split(' ')];
  const pairs = (word: string, other: string) => known.get(word)?.has(other) ?? false;
  return (
    from.every((word) => to.some((other) => pairs(word, other))) &&
    to.every((other) => from.some((word) => pairs(word, other)))
  );
}

/** Whether a translation is one of the dictionary: as an entry, hyphenated if need be, or word by word. */
function right(source: string, target: string, known: Dictionary): boolean {
  const entry = [source, source.replaceAll(' ', '-'), source.replaceAll(' ', '')].some((form) =>
    known.get(form)?.has(target),
  );
  return entry || translatesWordByWord(source, target, known);
}

/** Of n-grams of so many words, all of which the dictionary has: how often the first, and one of the first five, is right. */
function tablePrecision(entries: TranslationTable, words: number, known: Dictionary) {
  const asked = [...entries.sources()].filter((source) => {
    const parts = source.split(' ');
    return parts.length === words && parts.every((part) => known.has(part));
  });
  const share = (first: number) =>
    asked.filter((source) =>
      entries
        .get(source)
        .slice(0, first)
        .some(({ target }) => right(source, target, known)),
    ).length / asked.length;
  return { asked: asked.length, first: share(1), five: share(5) };
}

/** What the dictionary says of the mapped vectors and of the table. */
export async function lexiconText(): Promise<string> {
  const [en, de] = await Promise.all((['en', 'de'] as const).map((one) => readVectors(mappedVectors(one))));
  const entries = await readDictionary(lexicon, true);
  const asked = async (mostFrequent?: number) => {
    const found = await lexiconAccuracy(en, de, entries, { wordsOnly: true, mostFrequent });
    return [String(found.words), percent(found.precision[1]), percent(found.precision[5])];
  };
  const mapped = [
    ['the 500 most frequent', ...(await asked(500))],
    ['the 1,500 most frequent', ...(await asked(1500))],
    ['all', ...(await asked())],
  ];
  const [translations, known] = [await openTable(tableOf('en', 'de')), dictionaryOf(entries)];
  const rows = [1, 2, 3].map((words) => {
    const { asked, first, five } = tablePrecision(translations, words, known);
    return [String(words), String(asked), percent(first), percent(five)];
  });
  return [
    'How often the nearest German word of a mapped English one is a translation by the Ding dictionary (CSLS):',
    '',
    table(['English words', 'with an answer', 'P@1', 'P@5'], mapped),
    '',
    'The table by the same dictionary of single words in their basic forms, so that inflected translations count as wrong: a translation of',
    'several words is right where each word of either side translates one of the other.',
    '',
    table(['words', 'n-grams', 'the first is right', 'one of five is right'], rows),
  ].join('\n');
}

/** How far masked language modelling got, beside what the frequencies of tokens alone would tell. */
export async function pretrainingText(scale: number): Promise<string> {
  const tokenizer = await loadTokenizer(`${foundation}/vocabulary`);
  const found = [];
  for (const language of languages) {
    const lines = (await readFile((await languageData(language)).mono, 'utf8')).trimEnd().split('\n');
    const texts = lines.map((line) => line.toLowerCase());
    found.push(entropyOf(await tokenizer.encodeBatch(texts, { addSpecialTokens: false })));
  }
  // Languages take turns by n^0.7.
  const shares = found.map(({ tokens }) => tokens ** 0.7);
  const all = shares.reduce((a, b) => a + b);
  const frequencies = found.reduce((sum, { entropy }, at) => sum + (shares[at] / all) * entropy, 0);
  const log = (await readFile(`${startOf('xlm', scale)}/log.jsonl`, 'utf8')).trimEnd().split('\n');
  const rows = log.map((row) => JSON.parse(row)).filter(({ type }) => type === 'update');
  return (
    `Masked language modelling ended at a loss of ${rows.at(-1).loss.toFixed(2)} nats a token; knowing the frequencies of tokens and ` +
    `nothing else gives ${frequencies.toFixed(2)}.`
  );
}

/** Nats of a token by its frequency alone. */
function entropyOf(texts: readonly { ids: readonly number[] }[]): { tokens: number; entropy: number } {
  const counts = new Map<number, number>();
  let tokens = 0;
  for (const { ids } of texts) {
    for (const id of ids) counts.set(id, (counts.get(id) ?? 0) + 1);
    tokens += ids.length;
  }
  let entropy = 0;
  for (const count of counts.values()) entropy -= (count / tokens) * Math.log(count / tokens);
  return { tokens, entropy };
}

/** The table without what is its own translation, such as punctuation and names: any model is right there. */
async function informativeTable(): Promise<string> {
  const path = `${root}/en-de.informative.tsv`;
  const lines = (await readFile(tableOf('en', 'de'), 'utf8')).split('\n').slice(0, -1);
  const own = new Set(
    lines
      .map((line) => line.split('\t'))
      .filter(([source, target]) => source === target)
      .map(([source]) => source),
  );
  const kept = lines.filter((line) => {
    const source = line.slice(0, line.indexOf('\t'));
    return /\p{L}/u.test(source) && !own.has(source);
  });
  await mkdir(root, { recursive: true });
  await writeFile(path, kept.map((line) => `${line}\n`).join(''));
  return path;
}

/** What CMLM learns with and without its parts. */
export async function variantsText(scale: number): Promise<string> {
  const texts = (await captions('val', 'en')).map((line) => line.toLowerCase());
  const informative = await informativeTable();
  const rows: string[][] = [];
  for (const variant of Object.keys(variants) as Variant[]) {
    const found = await measureNgramTranslations(`${startOf(variant, scale)}/model`, texts, {
      table: informative,
      from: 'en',
      to: 'de',
      // Later positions were never seen.
      length: rowLength,
    });
    const byLength = [1, 2, 3].map((words) => percent(found.byWords[words]?.accuracy ?? 0));
    rows.push([
      variantTitles[variant],
      percent(found.accuracy),
      percent(found.best),
      ...byLength,
      String(found.ngrams),
    ]);
  }
  const alike = new Set(rows.map((row) => row.slice(1).join())).size === 1;
  return [
    'What CMLM learns at masked n-grams of held-out English captions, of German translations in the table (n-grams that may stay as they',
    `are, such as names, left out), after ${variantUpdatesText(scale)} on text of these two languages:`,
    '',
    table(['CMLM', 'one of the table', 'the most probable', '1 word', '2 words', '3 words', 'n-grams'], rows),
    ...(alike
      ? [
          '',
          'All answer alike, with the most frequent words: these pre-trainings were too short to tell them apart.',
        ]
      : []),
  ].join('\n');
}
