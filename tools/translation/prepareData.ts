/**
 * Writes the training text of the translation models, English to French or French to English, from ../shared/data:
 *   npx tsx tools/translation/prepareData.ts en fr runs/en-fr/data
 * `train.tsv` holds four passes over the corpora at the rates below, each pair with noise drawn anew; `dev.tsv` is half
 * general, half software.
 */
import { createWriteStream } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { gunzipSync } from 'node:zlib';
import { createDraws, type Draws } from '../../src/pretraining/draws.js';
import { noisy, normalizePunctuation, type Pair } from './noise.js';

/** Passes over the corpora in one file: an epoch of training sees four copies of a pair of rate 1. */
const rounds = 4;

/** Copies of each pair in one round; 1 where a corpus is not named. Laws and manuals have most of the words. */
const rates: Record<string, number> = {
  laws: 0.25,
  'php-manual': 0.5,
  'django-docs': 0.5,
  'python-docs': 0.5,
  'lilypond-doc': 0.5,
  'gimp-help': 0.5,
  'desktop-apps': 0.75,
  'digital-canada': 2,
  'tico-19': 2,
  wesnoth: 1.5,
  'opensource-guide': 2,
  debian: 1.25,
};

/** Share of rows that hold two or three pairs of one corpus, as a paragraph. */
const paragraphs = 0.05;

const [from, to, output] = process.argv.slice(2);
if (!output || ![from, to].every((code) => code === 'en' || code === 'fr') || from === to) {
  console.error('usage: npx tsx tools/translation/prepareData.ts en|fr fr|en FOLDER');
  process.exit(2);
}

async function readPairs(path: string): Promise<Pair[]> {
  const text = gunzipSync(await readFile(path)).toString('utf8');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [english, french, corpus = 'debian'] = line.split('\t');
      const [source, target] = from === 'en' ? [english, french] : [french, english];
      return { source, target: normalizePunctuation(target), corpus };
    });
}

/** How many copies of a pair a round holds: over all rounds, `rate * rounds` rounded up or down. */
function copies(rate: number, start: number, round: number): number {
  return Math.floor(start + (round + 1) * rate) - Math.floor(start + round * rate);
}

/** A row of two or three short pairs of one corpus, or of the pair alone. */
function paragraph(pair: Pair, corpus: readonly Pair[], draws: Draws): Pair {
  let made = noisy(pair, draws);
  if (draws.uniform() >= paragraphs || !/[.!?]$/.test(pair.source)) return made;
  for (let more = 1 + draws.below(2); more > 0; more--) {
    const next = corpus[draws.below(corpus.length)];
    if (made.source.length + next.source.length > 300 || !/[.!?]$/.test(next.source)) continue;
    made = { ...made, source: `${made.source} ${next.source}`, target: `${made.target} ${next.target}` };
  }
  return made;
}

async function* trainingRows(pairs: readonly Pair[]): AsyncGenerator<string> {
  const corpora = new Map<string, Pair[]>();
  for (const pair of pairs) {
    const corpus = corpora.get(pair.corpus);
    if (corpus) corpus.push(pair);
    else corpora.set(pair.corpus, [pair]);
  }
  for (let round = 0; round < rounds; round++)
    for (const [at, pair] of pairs.entries()) {
      const start = createDraws(1, 'rate', 0, at).uniform();
      const count = copies(rates[pair.corpus] ?? 1, start, round);
      for (let copy = 0; copy < count; copy++) {
        const draws = createDraws(1, `noise ${copy}`, round, at);
        const { source, target } = paragraph(pair, corpora.get(pair.corpus) ?? [], draws);
        if (source && target) yield `${source}\t${target}\n`;
      }
    }
}

const general = '../shared/data/general';
const debian = '../shared/data/debian';
await mkdir(output, { recursive: true });
const train = [
  ...(await readPairs(`${general}/train.tsv.gz`)),
  ...(await readPairs(`${debian}/en-fr.train.tsv.gz`)),
];
await pipeline(trainingRows(train), createWriteStream(`${output}/train.tsv`));
const dev = (await readPairs(`${general}/dev.tsv.gz`)).slice(0, 300);
const software = (await readPairs(`${debian}/en-fr.dev.tsv.gz`))
  .filter((_, at) => at % 8 === 0)
  .slice(0, 300);
const lines = dev.flatMap((pair, at) => [pair, software[at]]);
await writeFile(`${output}/dev.tsv`, lines.map(({ source, target }) => `${source}\t${target}\n`).join(''));
