import { requireText } from '../src/inputs.js';

/**
 * Porter's stemmer (Porter 1980, "An algorithm for suffix stripping") with the changes that NLTK's PorterStemmer makes
 * by default (its NLTK_EXTENSIONS), because that is the stemmer of rouge-score.
 *
 * Steps 2 to 4 are lists of rules: the first suffix that a word ends in decides, whether its condition holds or not.
 */
type Rule = readonly [suffix: string, replacement: string];

/** Words that the rules would stem wrongly, from NLTK. */
const irregular = new Map([
  ['sky', 'sky'],
  ['skies', 'sky'],
  ['dying', 'die'],
  ['lying', 'lie'],
  ['tying', 'tie'],
  ['news', 'news'],
  ['innings', 'inning'],
  ['inning', 'inning'],
  ['outings', 'outing'],
  ['outing', 'outing'],
  ['cannings', 'canning'],
  ['canning', 'canning'],
  ['howe', 'howe'],
  ['proceed', 'proceed'],
  ['exceed', 'exceed'],
  ['succeed', 'succeed'],
]);

const step2Rules: readonly Rule[] = [
  ['ational', 'ate'],
  ['tional', 'tion'],
  ['enci', 'ence'],
  ['anci', 'ance'],
  ['izer', 'ize'],
  ['bli', 'ble'],
  ['alli', 'al'],
  ['entli', 'ent'],
  ['eli', 'e'],
  ['ousli', 'ous'],
  ['ization', 'ize'],
  ['ation', 'ate'],
  ['ator', 'ate'],
  ['alism', 'al'],
  ['iveness', 'ive'],
  ['fulness', 'ful'],
  ['ousness', 'ous'],
  ['aliti', 'al'],
  ['iviti', 'ive'],
  ['biliti', 'ble'],
  ['fulli', 'ful'],
  ['logi', 'log'],
];

const step3Rules: readonly Rule[] = [
  ['icate', 'ic'],
  ['ative', ''],
  ['alize', 'al'],
  ['iciti', 'ic'],
  ['ical', 'ic'],
  ['ful', ''],
  ['ness', ''],
];

const step4Suffixes: readonly string[] = [
  ...['al', 'ance', 'ence', 'er', 'ic', 'able', 'ible', 'ant', 'ement', 'ment', 'ent', 'ion', 'ou', 'ism'],
  ...['ate', 'iti', 'ous', 'ive', 'ize'],
];

/**
 * Stem of a word: "relational" is "relat". Words of one or two letters are their own stems.
 *
 * @param word lower-case; what is no vowel counts as a consonant, digits too
 */
export function porterStem(word: string): string {
  requireText(word, 'word');
  const known = irregular.get(word);
  if (known !== undefined) return known;
  if (word.length <= 2) return word;
  return step5b(step5a(step4(step3(step2(step1c(step1b(step1a(word))))))));
}

/** Whether each letter is a consonant: y is one at the beginning and after a vowel. */
function consonants(word: string): boolean[] {
  const flags: boolean[] = [];
  for (let i = 0; i < word.length; i++) {
    const letter = word[i];
    flags.push(letter === 'y' ? i === 0 || !flags[i - 1] : !'aeiou'.includes(letter));
  }
  return flags;
}

/** Porter's m: how often a vowel is followed by a consonant. */
function measure(stem: string): number {
  const flags = consonants(stem);
  let m = 0;
  for (let i = 1; i < flags.length; i++) if (flags[i] && !flags[i - 1]) m++;
  return m;
}

function endsInDoubleConsonant(word: string): boolean {
  return word.length >= 2 && word.at(-1) === word.at(-2) && consonants(word)[word.length - 1];
}

/** Consonant, vowel, consonant other than w, x, y; or a word of a vowel and a consonant (NLTK). */
function endsInShortSyllable(word: string): boolean {
  const flags = consonants(word);
  const n = flags.length;
  if (n === 2) return !flags[0] && flags[1];
  return n >= 3 && flags[n - 3] && !flags[n - 2] && flags[n - 1] && !'wxy'.includes(word[n - 1]);
}

function cut(word: string, suffix: string): string {
  return word.slice(0, word.length - suffix.length);
}

/** The first rule whose suffix the word has, applied where what remains has a positive measure. */
function applyFirst(word: string, rules: readonly Rule[]): string {
  for (const [suffix, replacement] of rules) {
    if (!word.endsWith(suffix)) continue;
    // The l of "logi" counts with the stem, so that geology loses its y as biology does (NLTK).
    const measured = suffix === 'logi' ? word.slice(0, -3) : cut(word, suffix);
    return measure(measured) > 0 ? cut(word, suffix) + replacement : word;
  }
  return word;
}

/** Plurals. */
function step1a(word: string): string {
  if (word.endsWith('ies')) return word.length === 4 ? word.slice(0, -1) : word.slice(0, -2);
  if (word.endsWith('sses')) return word.slice(0, -2);
  return word.endsWith('s') && !word.endsWith('ss') ? word.slice(0, -1) : word;
}

/** Past tenses and participles; what is left is given back an e or freed of a doubled letter. */
function step1b(word: string): string {
  if (word.endsWith('ied')) return word.length === 4 ? word.slice(0, -1) : word.slice(0, -2);
  if (word.endsWith('eed')) return measure(cut(word, 'eed')) > 0 ? word.slice(0, -1) : word;
  const suffix = ['ed', 'ing'].find((end) => word.endsWith(end));
  if (suffix === undefined) return word;
  const stem = cut(word, suffix);
  if (consonants(stem).every(Boolean)) return word;
  if (/(at|bl|iz)$/.test(stem)) return `${stem}e`;
  if (endsInDoubleConsonant(stem)) return /[lsz]$/.test(stem) ? stem : stem.slice(0, -1);
  return measure(stem) === 1 && endsInShortSyllable(stem) ? `${stem}e` : stem;
}

/** y becomes i behind a consonant that does not begin the word (NLTK). */
function step1c(word: string): string {
  const stem = word.slice(0, -1);
  return word.endsWith('y') && stem.length > 1 && consonants(stem)[stem.length - 1] ? `${stem}i` : word;
}

function step2(word: string): string {
  // NLTK goes on with what "alli" leaves: "radicalli" is "radical", which has suffixes of its own.
  if (word.endsWith('alli') && measure(cut(word, 'alli')) > 0) return step2(cut(word, 'li'));
  return applyFirst(word, step2Rules);
}

function step3(word: string): string {
  return applyFirst(word, step3Rules);
}

function step4(word: string): string {
  const suffix = step4Suffixes.find((end) => word.endsWith(end));
  if (suffix === undefined) return word;
  const stem = cut(word, suffix);
  return measure(stem) > 1 && (suffix !== 'ion' || /[st]$/.test(stem)) ? stem : word;
}

function step5a(word: string): string {
  if (!word.endsWith('e')) return word;
  const stem = word.slice(0, -1);
  const m = measure(stem);
  return m > 1 || (m === 1 && !endsInShortSyllable(stem)) ? stem : word;
}

function step5b(word: string): string {
  return word.endsWith('ll') && measure(word.slice(0, -1)) > 1 ? word.slice(0, -1) : word;
}
