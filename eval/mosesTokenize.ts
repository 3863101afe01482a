import { requireText } from '../src/inputs.js';
import { abbreviations } from './abbreviations.js';
import { checkLanguage, type MosesLanguage } from './mosesNormalize.js';
import { splitWords } from './pythonText.js';

/** Options of `mosesTokenize`. */
export interface MosesOptions {
  /**
   * Write & | < > ' " [ ] as XML entities (`&apos;`), as Moses does by default so that its own file formats can hold
   * them. Scores do not change as long as both sides are written alike. Default true.
   */
  escape?: boolean;
}

/**
 * Tokens of a line as the Moses tokenizer splits it (Koehn et al. 2007; hyphenated words stay whole), checked against
 * sacremoses 0.2. Older papers report BLEU on such tokens: lower-cased, `mosesNormalize`d, tokenized.
 *
 * The algorithm here is polybeam's own: the line is held as characters and the gaps between them, and every rule only
 * opens gaps. The abbreviations after which a period is not split off are polybeam's own list too, so a rare one may
 * differ; `abbreviations` says what was measured.
 *
 * @throws OPTION_INVALID for a language other than en, de, fr
 */
export function mosesTokenize(text: string, lang: MosesLanguage, options: MosesOptions = {}): string[] {
  requireText(text, 'text');
  checkLanguage(lang);
  const line = readLine(text);
  isolateSymbols(line);
  isolateDotRuns(line);
  openGaps(line, ',', commaRules);
  openGaps(line, "'", apostropheRules[lang]);
  const tokens = finalQuote(detachPeriods(wordsOf(line), lang));
  return (options.escape ?? true) ? tokens.map(escapeXml) : tokens;
}

/** Characters (code points) without blanks; `gaps[i]` is 1 where there is a blank before character i. */
interface Line {
  characters: string[];
  gaps: Uint8Array;
}

function readLine(text: string): Line {
  const characters: string[] = [];
  const starts: number[] = [];
  for (const word of splitWords(text)) {
    starts.push(characters.length);
    for (const character of word) if (character >= ' ') characters.push(character);
  }
  const gaps = new Uint8Array(characters.length + 1);
  for (const start of starts) gaps[start] = 1;
  gaps[0] = 0;
  gaps[characters.length] = 0;
  return { characters, gaps };
}

function isolate(line: Line, start: number, end: number): void {
  line.gaps[start] = 1;
  line.gaps[end] = 1;
}

function isolateSymbols(line: Line): void {
  for (const [i, character] of line.characters.entries()) {
    if (!isWordCharacter(character) && !".,'`-".includes(character)) isolate(line, i, i + 1);
  }
}

function isolateDotRuns({ characters, gaps }: Line): void {
  for (let start = 0; start < characters.length; start++) {
    let end = start;
    while (characters[end] === '.' && (end === start || !gaps[end])) end++;
    if (end - start < 2) continue;
    gaps[start] = 1;
    // At the end of the line nothing follows that a gap could part from the dots.
    if (end < characters.length) gaps[end] = 1;
    start = end - 1;
  }
}

/** What stands beside a character: a blank counts as one, the edge of the line is ''. */
type Side = (neighbour: string) => boolean;

/** Opens a gap before and after a character, or on one side, where both neighbours fit; no side means any or none. */
interface GapRule {
  left?: Side;
  right?: Side;
  open: 'both' | 'before' | 'after';
}

const number: Side = (c) => /^\p{N}$/u.test(c);
const notNumber: Side = (c) => c !== '' && !number(c);
const letter: Side = isLetter;
const notLetter: Side = (c) => c !== '' && !isLetter(c);
const neither: Side = (c) => notLetter(c) && notNumber(c);
const lineEnd: Side = (c) => c === '';

/** A comma stays only between two numbers. */
const commaRules: GapRule[] = [
  { left: notNumber, open: 'both' },
  { right: notNumber, open: 'both' },
  { left: number, right: lineEnd, open: 'both' },
];

const apostropheRules: Record<MosesLanguage, GapRule[]> = {
  // Contractions begin with their apostrophe: it 's, 1990 's.
  en: [
    { left: notLetter, right: notLetter, open: 'both' },
    { left: neither, right: letter, open: 'both' },
    { left: letter, right: notLetter, open: 'both' },
    { left: letter, right: letter, open: 'before' },
    { left: number, right: (c) => c === 's', open: 'before' },
  ],
  // Elisions end with theirs: l' eau.
  fr: [
    { left: notLetter, right: notLetter, open: 'both' },
    { left: notLetter, right: letter, open: 'both' },
    { left: letter, right: notLetter, open: 'both' },
    { left: letter, right: letter, open: 'after' },
  ],
  de: [{ open: 'both' }],
};

/**
 * Applies the rules one after the other, each from left to right. A neighbour that was looked at for one character is
 * used up and cannot serve the next: in rock'n'roll only the first apostrophe has a letter on its left. That is an
 * accident of how Moses matches, but scores depend on it.
 */
function openGaps({ characters, gaps }: Line, mark: string, rules: readonly GapRule[]): void {
  const marks = [...characters.keys()].filter((i) => characters[i] === mark);
  if (marks.length === 0) return;
  for (const { left, right, open } of rules) {
    const before = gaps.slice();
    // Places on one scale: 2i is the gap before character i, 2i + 1 the character itself.
    let used = -1;
    for (const i of marks) {
      const leftPlace = before[i] ? 2 * i : 2 * i - 1;
      const rightPlace = before[i + 1] ? 2 * i + 2 : 2 * i + 3;
      const leftText = before[i] ? ' ' : i > 0 ? characters[i - 1] : '';
      const rightText = before[i + 1] ? ' ' : (characters[i + 1] ?? '');
      if ((left ? leftPlace : 2 * i + 1) <= used) continue;
      if ((left && !left(leftText)) || (right && !right(rightText))) continue;
      used = right ? rightPlace : 2 * i + 1;
      if (open !== 'after') gaps[i] = 1;
      if (open !== 'before') gaps[i + 1] = 1;
    }
  }
}

function wordsOf({ characters, gaps }: Line): string[] {
  const words: string[] = [];
  for (const [i, character] of characters.entries()) {
    if (i === 0 || gaps[i]) words.push(character);
    else words[words.length - 1] += character;
  }
  return words;
}

/** Splits off a word's period unless the word is an abbreviation or the next word goes on in lower case. */
function detachPeriods(words: readonly string[], lang: MosesLanguage): string[] {
  const list = abbreviations[lang];
  return words.flatMap((word, i) => {
    if (!word.endsWith('.') || /^\.+$/.test(word)) return [word];
    const stem = word.slice(0, -1);
    const next = words[i + 1] ?? '';
    const acronym = stem.includes('.') && [...stem].some(isLetter);
    const abbreviated =
      list.pattern.test(stem) ||
      list.words.has(stem) ||
      (list.beforeNumbers.has(stem) && /^[0-9]/.test(next));
    return acronym || abbreviated || /^\p{Lowercase}/u.test(next) ? [word] : [stem, '.'];
  });
}

/** A line that ends in .' has lost sight of its period: both stand alone. */
function finalQuote(words: string[]): string[] {
  const last = words.at(-1);
  if (!last?.endsWith(".'")) return words;
  const stem = last.slice(0, -2);
  return [...words.slice(0, -1), ...(stem ? [stem] : []), '.', "'"];
}

// Moses' tables predate Unicode 7 and leave out Chinese characters, Hangul syllables and everything beyond the basic
// plane: each of those is a token of its own. The signs that join Indic letters belong to words.
const joiners = new Set(
  '\u093c\u094d\u09bc\u09cd\u0a3c\u0a4d\u0abc\u0acd\u0b3c\u0b4d\u0bcd\u0c4d\u0cbc\u0ccd\u0d4d\u0dca\u0eba\u1039',
);

function isLetter(character: string): boolean {
  if (character.length !== 1) return false;
  const code = character.charCodeAt(0);
  if (code < 0x80) return (code >= 97 && code <= 122) || (code >= 65 && code <= 90);
  const excluded =
    (code >= 0x3400 && code <= 0x9fff) ||
    (code >= 0xac00 && code <= 0xd7a3) ||
    (code >= 0xf900 && code <= 0xfaff);
  return !excluded && (/\p{Alphabetic}/u.test(character) || joiners.has(character));
}

function isWordCharacter(character: string): boolean {
  if (character >= '0' && character <= '9') return true;
  if (character < '\u0080') return isLetter(character);
  return isLetter(character) || (character.length === 1 && /\p{Nd}/u.test(character));
}

const xmlEntities: Record<string, string> = {
  '&': '&amp;',
  '|': '&#124;',
  '<': '&lt;',
  '>': '&gt;',
  "'": '&apos;',
  '"': '&quot;',
  '[': '&#91;',
  ']': '&#93;',
};

function escapeXml(token: string): string {
  return token.replace(/[&|<>'"[\]]/g, (character) => xmlEntities[character]);
}
