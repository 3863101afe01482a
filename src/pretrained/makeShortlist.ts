import { type IbmModel1Options, type LexicalTable, trainIbmModel1 } from '../alignment/ibmModel1.js';
import { heaviest, pruneTable } from '../alignment/lexicalShortlist.js';
import { PolybeamError } from '../errors.js';
import type { Shortlist } from '../generation/shortlist.js';
import { requireObject, requireTexts } from '../inputs.js';
import { requireTokenizer, type Tokenizer } from '../text/tokenizer.js';

/** How a shortlist is made. */
export interface ShortlistOptions extends IbmModel1Options {
  /** Targets of a source token at most. Default 20. */
  targetsPerToken?: number;
  /** Targets less probable than this are left out. Default 0.001. */
  minProbability?: number;
  /** So many of the most frequent target tokens belong to every list. Default 100. */
  frequentTokens?: number;
}

const defaults = { targetsPerToken: 20, minProbability: 0.001, frequentTokens: 100 };

/**
 * Learns a shortlist from parallel text, source[i] translated as target[i], by IBM Model 1 over the tokens of a model.
 * Special tokens belong to every list. Throws OPTION_INVALID.
 */
export async function trainShortlist(
  source: readonly string[],
  target: readonly string[],
  tokenizer: Tokenizer,
  options: ShortlistOptions = {},
): Promise<Shortlist> {
  requireTexts(source, 'source');
  requireTexts(target, 'target');
  if (source.length !== target.length) {
    throw new PolybeamError(
      'INPUT_INVALID',
      `source has ${source.length} texts and target ${target.length}; give a translation for each.`,
    );
  }
  requireTokenizer(tokenizer);
  checkOptions(options);
  const encode = (texts: readonly string[], side: 'source' | 'target') =>
    tokenizer.encodeBatch(texts, { side, addSpecialTokens: false });
  const [sources, targets] = [await encode(source, 'source'), await encode(target, 'target')];
  const pairs = sources.map(({ ids }, i) => ({ source: ids, target: targets[i].ids }));
  const counts = new Map<number, number>();
  for (const { ids } of targets) for (const id of ids) counts.set(id, (counts.get(id) ?? 0) + 1);
  return shortlistOf(trainIbmModel1(pairs, options), counts, tokenizer, options);
}

/**
 * Makes a shortlist of a table in plain text, a line for each pair: source token, tab, target token, tab, probability.
 * Tokens are spelled as in the model's vocabulary; pairs with one that it lacks are passed over. A token is the more
 * frequent here the more its probabilities sum to.
 *
 * @param path for messages
 * @throws INPUT_INVALID for a line of another form, OPTION_INVALID
 */
export function shortlistFromTable(
  lines: readonly string[],
  tokenizer: Tokenizer,
  path: string,
  options: ShortlistOptions = {},
): { shortlist: Shortlist; unknown: number } {
  checkOptions(options);
  const entries: [source: number, target: number, probability: number][] = [];
  const sums = new Map<number, number>();
  let unknown = 0;
  lines.forEach((line, at) => {
    if (line.trim() === '') return;
    const cells = line.split('\t');
    const probability = cells[2]?.trim() ? Number(cells[2]) : Number.NaN;
    if (cells.length !== 3 || !(probability >= 0 && probability <= 1)) {
      throw new PolybeamError(
        'INPUT_INVALID',
        `Line ${at + 1} of ${path} is "${line}": give a source token, a target token and a probability from 0 to 1, with tabs between.`,
      );
    }
    const [from, to] = [tokenizer.tokenToId(cells[0]), tokenizer.tokenToId(cells[1])];
    if (from === undefined || to === undefined) {
      unknown++;
      return;
    }
    entries.push([from, to, probability]);
    sums.set(to, (sums.get(to) ?? 0) + probability);
  });
  const table: LexicalTable = {
    source: Int32Array.from(entries, ([from]) => from),
    target: Int32Array.from(entries, ([, to]) => to),
    probability: Float64Array.from(entries, ([, , probability]) => probability),
  };
  return { shortlist: shortlistOf(table, sums, tokenizer, options), unknown };
}

function checkOptions(options: ShortlistOptions): void {
  requireObject(options, 'options', 'options such as targetsPerToken');
  const least = { targetsPerToken: 1, minProbability: 0, frequentTokens: 0, iterations: 1 };
  for (const [name, from] of Object.entries(least)) {
    const value = options[name as keyof typeof least];
    const fits = name === 'minProbability' ? Number(value) <= 1 : Number.isInteger(value);
    if (value === undefined || (fits && value >= from)) continue;
    const range = name === 'minProbability' ? 'a number from 0 to 1' : `an integer from ${from}`;
    throw new PolybeamError('OPTION_INVALID', `Option ${name} cannot be ${value}: give ${range}.`);
  }
}

function shortlistOf(
  table: LexicalTable,
  weights: ReadonlyMap<number, number>,
  tokenizer: Tokenizer,
  options: ShortlistOptions,
): Shortlist {
  const { targetsPerToken, minProbability, frequentTokens } = { ...defaults, ...options };
  const added = (tokenizer.addedTokens ?? []).map((token) => tokenizer.tokenToId(token));
  const special = [...Object.values(tokenizer.specialIds), ...added].filter((id) => id !== undefined);
  return pruneTable(table, {
    targetsPerToken,
    minProbability,
    always: [...special, ...heaviest(weights, frequentTokens)],
  });
}
