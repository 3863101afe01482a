import { tokenizeDocuments } from '../../pretraining/corpus.js';
import type { Tokenizer } from '../../text/tokenizer.js';
import { fingerprintPairs, type TokenPair } from '../../training/batching.js';
import type { LanguageLines } from '../languageLines.js';
import type { Direction } from './languageCodes.js';

/** Texts of languages as ids without special tokens; those that are empty are left out. */
export interface LanguageIds {
  texts: Map<string, Int32Array[]>;
  pairs: { direction: Direction; pairs: TokenPair[] }[];
}

/** Tokenizes. */
export async function tokenizeLanguages(
  { texts, pairs }: LanguageLines,
  tokenizer: Tokenizer,
): Promise<LanguageIds> {
  const ids: LanguageIds = { texts: new Map(), pairs: [] };
  const encode = async (lines: readonly string[]) => {
    const corpus = await tokenizeDocuments(lines, tokenizer);
    return lines.map((_, at) => corpus.ids.subarray(corpus.starts[at], corpus.starts[at + 1]));
  };
  for (const [language, lines] of texts) {
    ids.texts.set(
      language,
      (await encode(lines)).filter((text) => text.length > 0),
    );
  }
  for (const { from, to, source, target } of pairs) {
    const [sources, targets] = [await encode(source), await encode(target)];
    ids.pairs.push({
      direction: { from, to },
      pairs: sources.map((text, at) => ({ source: text, target: targets[at] })),
    });
  }
  return ids;
}

/** Tells whether a run goes on with the data it began with. */
export function fingerprintLanguages({ texts, pairs }: LanguageIds): string {
  return fingerprintPairs([
    ...[...texts.values()].flatMap((list) => list.map((source) => ({ source, target: [] }))),
    ...pairs.flatMap((one) => one.pairs),
  ]);
}
