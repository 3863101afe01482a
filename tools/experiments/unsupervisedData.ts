import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { gunzipSync } from 'node:zlib';
import { nodeFiles } from '../../src/node/files.js';
import { permutation } from '../../src/training/random.js';

/*
 * Multi30k as Lample et al. 2018 (ICLR, section 4.1) used it: the training captions are shuffled once; English comes from the first
 * half, French and German from the second, so that no caption is seen in two languages.
 */

const multi30k = '../shared/data/multi30k';

/** Where the experiment's runs and files lie. */
export const root = 'runs/unsupervised';

/** Languages of the experiment. */
export const languages = ['en', 'fr', 'de'] as const;

/** A language of the experiment. */
export type Language = (typeof languages)[number];

/** Files of one language, a caption a line. */
export interface LanguageData {
  /** Half of the training captions: what translation learns from. */
  half: string;
  /** For vectors and pre-training: the half, and for English and German captions that were written independently. */
  mono: string;
  /** Held-out captions, for round trips and for validation that no training sees. */
  held: string;
}

const pathOf = (name: string) => `${root}/data/${name}`;

/** Captions of a part of Multi30k. */
export async function captions(part: string, language: Language): Promise<string[]> {
  const bytes = gunzipSync(await readFile(`${multi30k}/${part}.${language}.gz`));
  return bytes.toString('utf8').trimEnd().split('\n');
}

/** Writes the files of a language once, and says where they are. */
export async function languageData(language: Language): Promise<LanguageData> {
  const data = {
    half: pathOf(`half.${language}.txt`),
    mono: pathOf(`mono.${language}.txt`),
    held: pathOf(`held.${language}.txt`),
  };
  if ((await nodeFiles.size(data.held)) !== undefined) return data;
  const half = await halfOf(language);
  const outside = language === 'fr' ? [] : await captions('mono', language);
  // English of the other half would be the translation of the captions that French and German learn from.
  const other = new Set(language === 'en' ? (await bothHalves(language))[1] : []);
  await mkdir(`${root}/data`, { recursive: true });
  const write = (path: string, lines: readonly string[]) =>
    writeFile(path, lines.map((line) => `${line}\n`).join(''));
  await write(data.half, half);
  await write(
    data.mono,
    [...new Set([...half, ...outside])].filter((line) => !other.has(line)),
  );
  await write(data.held, await captions('val', language));
  return data;
}

/** The captions that a language learns from. */
async function halfOf(language: Language): Promise<string[]> {
  return (await bothHalves(language))[language === 'en' ? 0 : 1];
}

async function bothHalves(language: Language): Promise<[string[], string[]]> {
  const lines = await captions('train', language);
  const order = Array.from(permutation(lines.length, 1, 'unsupervised', 0));
  const middle = Math.floor(lines.length / 2);
  const pick = (places: readonly number[]) => places.map((at) => lines[at]);
  return [pick(order.slice(0, middle)), pick(order.slice(middle))];
}
