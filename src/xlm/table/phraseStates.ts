import { type Phrase, type SpanScores, scoreSpans, startingAt } from './phrases.js';

/*
 * What a hypothesis of phrase translation may go on with. Its tokens do not say which phrases they came from: several ways of cutting
 * the source may have led to them, so a hypothesis is the set of all places where it may be, each with the best score of a way
 * there. A token leads from a set to a set.
 *
 * The value of a set is the best score of a way plus what the words that are left can reach at best. What a token adds to a
 * hypothesis is the change of that value: hypotheses with more and with less of the source translated can be compared, and
 * the sum over a whole output is its best score, less that of the best segmentation.
 */

/** How a target n-gram begins: the output, right after a word, or after a blank. */
export type PhraseForm = 'initial' | 'glued' | 'spaced';

/** Tokens of a target n-gram in one form. */
export interface FormTokens {
  target: string;
  /** At least one. */
  ids: readonly number[];
  /** A number that no other n-gram and form has. */
  serial: number;
  /** Whether what comes next is glued to it; see `blankBetween`. */
  formAfter(next: string): PhraseForm;
}

/** How a sentence may be translated. */
export interface PhraseSettings {
  /** What table scores are multiplied by. */
  weight: number;
  /** Maximum number of words between the first untranslated word and the beginning of the next phrase; 0 keeps the order of the source. */
  reordering: number;
  /** Subtracted for each word between where a phrase ends and the next begins. */
  jumpPenalty: number;
  /** The token that ends an output. */
  endId: number;
}

/** All places where a hypothesis may be. */
export interface PlaceSet {
  readonly places: readonly Place[];
  /** The best score of a way here and on to the end, if only the table counted. */
  readonly value: number;
  /** Where each token leads that may come next; made when it is first asked for. */
  moves?: ReadonlyMap<number, PlaceSet>;
}

/** Between two phrases, or within one. */
interface Place {
  /** The first source word that is not translated. */
  first: number;
  /** Which words from `first` on are: bit i stands for word first + i. */
  covered: number;
  /** Where the last phrase ended in the source. */
  last: number;
  /** Tokens of the phrase that was begun last. */
  tokens?: FormTokens;
  /** How many of them have been written. */
  written: number;
  /** The phrase that was begun before. */
  before?: Place;
  /** Best score of a way here: weighted, jumps subtracted. */
  score: number;
}

/** What the places of one sentence are made from. */
interface Sentence {
  count: number;
  starting: Phrase[][];
  spans: SpanScores;
  tokensOf: (target: string, form: PhraseForm) => FormTokens;
  settings: PhraseSettings;
}

/** A sentence, ready to be translated. */
export interface PhraseSentence {
  /** Before the first token. */
  start: PlaceSet;
  /** Tokens of the longest translation, the end token included. */
  longest: number;
  /** Where each token leads. */
  movesOf(set: PlaceSet): ReadonlyMap<number, PlaceSet>;
  /** The n-grams of the best way of writing an output. @param ids with the end token */
  targetsOf(ids: readonly number[]): string[];
}

/**
 * @param count words of the sentence, from 1
 * @param phrases with at least one that begins at each word and takes it alone
 */
export function createSentence(
  count: number,
  phrases: readonly Phrase[],
  tokensOf: Sentence['tokensOf'],
  settings: PhraseSettings,
): PhraseSentence {
  const sentence: Sentence = {
    count,
    starting: startingAt(count, phrases),
    spans: scoreSpans(count, phrases),
    tokensOf,
    settings,
  };
  const start: Place = { first: 0, covered: 0, last: 0, written: 0, score: 0 };
  const movesOf = (set: PlaceSet) => {
    set.moves ??= findMoves(sentence, set);
    return set.moves;
  };
  const beginning: PlaceSet = { places: [start], value: valueOfPlace(sentence, start) };
  return {
    start: beginning,
    longest: longestOutput(sentence) + 1,
    movesOf,
    targetsOf: (ids) => {
      const { places } = ids.reduce<PlaceSet>((set, id) => movesOf(set).get(id)!, beginning);
      const best = places.reduce((one, other) => (other.score > one.score ? other : one));
      const targets: string[] = [];
      for (let place: Place | undefined = best; place?.tokens; place = place.before)
        targets.push(place.tokens.target);
      return targets.reverse();
    },
  };
}

function longestOutput({ count, starting, tokensOf }: Sentence): number {
  const longest = new Array<number>(count + 1).fill(0);
  const forms = ['initial', 'glued', 'spaced'] as const;
  for (let at = count - 1; at >= 0; at--) {
    for (const { end, translations } of starting[at]) {
      const own = translations.flatMap(({ target }) =>
        forms.map((form) => tokensOf(target, form).ids.length),
      );
      longest[at] = Math.max(longest[at], Math.max(...own) + longest[end]);
    }
  }
  return longest[0];
}

function findMoves(sentence: Sentence, { places }: PlaceSet): Map<number, PlaceSet> {
  const found = new Map<number, Map<string, Place>>();
  const enter = (token: number, place: Place) => {
    const same = found.get(token) ?? new Map<string, Place>();
    found.set(token, same);
    const key = keyOf(place);
    const known = same.get(key);
    if (!known || known.score < place.score) same.set(key, place);
  };
  for (const place of places) {
    const { tokens, written } = place;
    if (tokens && written < tokens.ids.length) {
      enter(tokens.ids[written], { ...place, written: written + 1 });
    } else if (place.first === sentence.count) {
      enter(sentence.settings.endId, place);
    } else {
      beginPhrases(sentence, place, enter);
    }
  }
  return new Map(
    [...found].map(([token, same]) => {
      const all = [...same.values()];
      return [token, { places: all, value: Math.max(...all.map((place) => valueOfPlace(sentence, place))) }];
    }),
  );
}

/** Where a place is, but for the score of the way there. */
function keyOf({ first, covered, last, tokens, written }: Place): string {
  return `${first} ${covered} ${last} ${tokens?.serial} ${written}`;
}

/** Words that `covered` has bits for. */
const mostCovered = 30;

function beginPhrases(
  { count, starting, tokensOf, settings }: Sentence,
  place: Place,
  enter: (token: number, place: Place) => void,
): void {
  const { weight, reordering, jumpPenalty } = settings;
  const farthest = Math.min(count - 1, place.first + reordering);
  for (let at = place.first; at <= farthest; at++) {
    const jump = jumpPenalty * Math.abs(at - place.last);
    for (const { end, translations } of starting[at]) {
      const after = cover(place, at, end);
      if (!after) continue;
      for (const { target, score } of translations) {
        const form = place.tokens ? place.tokens.formAfter(target) : 'initial';
        const tokens = tokensOf(target, form);
        const total = place.score + weight * score - jump;
        enter(tokens.ids[0], { ...after, last: end, tokens, written: 1, before: place, score: total });
      }
    }
  }
}

/** What is translated after the words `at` to `end` - 1 are too; undefined where one of them was before. */
function cover(
  { first, covered }: Place,
  at: number,
  end: number,
): Pick<Place, 'first' | 'covered'> | undefined {
  if (covered === 0 && at === first) return { first: end, covered: 0 };
  if (end - first > mostCovered) return undefined;
  const bits = ((1 << (end - at)) - 1) << (at - first);
  if ((covered & bits) !== 0) return undefined;
  let [next, rest] = [first, covered | bits];
  for (; (rest & 1) === 1; rest >>>= 1) next++;
  return { first: next, covered: rest };
}

/** The score of the way to a place and of the best way on, jumps aside. */
function valueOfPlace({ count, spans, settings }: Sentence, { first, covered, score }: Place): number {
  let future = 0;
  let from = first;
  for (let bits = covered, at = first; bits !== 0; bits >>>= 1, at++) {
    if ((bits & 1) === 0) continue;
    future += spans.best(from, at);
    from = at + 1;
  }
  return score + settings.weight * (future + spans.best(from, count));
}
