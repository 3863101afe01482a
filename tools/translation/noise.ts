import type { Draws } from '../../src/pretraining/draws.js';

/** One training pair and the corpus it comes from. */
export interface Pair {
  source: string;
  target: string;
  corpus: string;
}

/** Given names that replace "Tom", which stands in a tenth of Tatoeba's sentences: a model must copy names it never saw. */
const givenNames =
  `Adam Ahmed Alan Albert Alex Andrew Anthony Ben Bill Bruno Carlos Charles Chen Chris Daniel David Denis
Diego Ed Eric Felix Frank Fred George Gary Hans Harry Henry Hugo Ian Ivan Jack Jacob James Jan Jason Jim Joe John José Karl
Kenji Kevin Lars Leo Liam Lucas Luis Mark Martin Max Michael Mike Mohamed Nick Noah Olaf Oliver Omar Oscar Pablo Patrick
Paul Pedro Peter Phil Pierre Raj Ralph Ray Richard Rob Robert Roger Ryan Sam Sami Simon Stefan Steve Ted Theo Thomas Tim
Tony Viktor Walter Will Yuki Yusuf`.split(/\s+/);

const tlds = ['com', 'org', 'net', 'fr', 'io', 'ca', 'de', 'info'];
const letters = 'abcdefghijklmnopqrstuvwxyz';

function pick<T>(items: readonly T[], draws: Draws): T {
  return items[draws.below(items.length)];
}

function word(draws: Draws, least: number, most: number): string {
  const length = least + draws.below(most - least + 1);
  return Array.from({ length }, () => letters[draws.below(26)]).join('');
}

/** Straight apostrophes and double quotes, plain spaces, NFC: what a target looks like. */
export function normalizePunctuation(text: string): string {
  return text
    .normalize('NFC')
    .replace(/[\u2018\u2019\u02bc]/g, "'")
    .replace(/[\u201c\u201d]/g, '"')
    .replace(/[\u00a0\u202f\u2009]/g, ' ')
    .replace(/ {2,}/g, ' ')
    .trim();
}

/** An address, path, file name or version that both sides must contain unchanged. */
function verbatim(draws: Draws): string {
  const site = `${word(draws, 3, 9)}.${pick(tlds, draws)}`;
  const makers = [
    () => `https://${draws.below(2) ? 'www.' : ''}${site}/${word(draws, 2, 8)}/${word(draws, 3, 8)}`,
    () => `https://${site}`,
    () => `http://${site}/${word(draws, 2, 8)}.html`,
    () => `${word(draws, 3, 8)}@${site}`,
    () => `/${pick(['usr', 'etc', 'home', 'var', 'opt'], draws)}/${word(draws, 3, 8)}/${word(draws, 3, 8)}`,
    () => `${word(draws, 3, 9)}.${pick(['txt', 'conf', 'json', 'py', 'pdf', 'png', 'sh'], draws)}`,
    () => `${word(draws, 3, 8)} ${draws.below(20)}.${draws.below(30)}.${draws.below(10)}`,
    () => `--${word(draws, 3, 8)}`,
  ];
  return pick(makers, draws)();
}

/** Puts the same verbatim text at the end of both sides. */
function withVerbatim(pair: Pair, draws: Draws): Pair {
  const end = /^(.*[\p{L}\p{N}])([.!?]?)$/u;
  const source = end.exec(pair.source);
  const target = end.exec(pair.target);
  if (!source || !target) return pair;
  const text = verbatim(draws);
  const [open, close] = pick(
    [
      [' (', ')'],
      [' ', ''],
      [': ', ''],
    ] as const,
    draws,
  );
  const joint = (match: RegExpExecArray, space: string) =>
    `${match[1]}${space}${open}${text}${close}${match[2]}`;
  return { ...pair, source: joint(source, ''), target: joint(target, open === ': ' ? ' ' : '') };
}

/** Another number of as many digits in both sides, where each has the same one number. */
function otherNumber(pair: Pair, draws: Draws): Pair {
  const numbers = pair.source.match(/\d+/g);
  const theirs = pair.target.match(/\d+/g);
  if (numbers?.length !== 1 || theirs?.length !== 1 || numbers[0] !== theirs[0] || numbers[0].length < 2)
    return pair;
  const digits = [...numbers[0]].map((_, at) => (at === 0 ? 1 + draws.below(9) : draws.below(10))).join('');
  return { ...pair, source: pair.source.replace(/\d+/, digits), target: pair.target.replace(/\d+/, digits) };
}

/** Another given name in the place of Tom, in both sides; where French elides before it ("que Tom"), consonants only. */
function otherName(pair: Pair, draws: Draws): Pair {
  if (!/\bTom\b/.test(pair.source) || !/\bTom\b/.test(pair.target)) return pair;
  const name = pick(givenNames, draws);
  if (/\b(de|que|le|jusque) Tom\b/i.test(pair.target) && /^[AEIOUYHÉ]/.test(name)) return pair;
  return {
    ...pair,
    source: pair.source.replace(/\bTom\b/g, name),
    target: pair.target.replace(/\bTom\b/g, name),
  };
}

/** One misspelled word: two letters exchanged, one left out, or one doubled. */
function typo(text: string, draws: Draws): string {
  const words = text.split(' ');
  const long = words.flatMap((each, at) => (/^\p{L}{4,}$/u.test(each) ? [at] : []));
  if (!long.length) return text;
  const at = pick(long, draws);
  const wrong = words[at];
  const where = 1 + draws.below(wrong.length - 2);
  const tails = [
    wrong[where + 1] + wrong[where] + wrong.slice(where + 2),
    wrong.slice(where + 1),
    wrong[where] + wrong.slice(where),
  ];
  words[at] = wrong.slice(0, where) + pick(tails, draws);
  return words.join(' ');
}

const finalMark = /\s?[.!?]$/;

/** A pair as users may type it: one kind of noise at most besides other names and numbers. */
export function noisy(pair: Pair, draws: Draws): Pair {
  let made = pair;
  if (draws.uniform() < 0.6) made = otherName(made, draws);
  if (draws.uniform() < 0.3) made = otherNumber(made, draws);
  const chance = draws.uniform();
  if (chance < 0.015) return withVerbatim(made, draws);
  if (chance < 0.045) return { ...made, source: made.source.toLowerCase() };
  if (chance < 0.055)
    return { ...made, source: made.source.toUpperCase(), target: made.target.toUpperCase() };
  if (chance < 0.105 && finalMark.test(made.source) && finalMark.test(made.target))
    return {
      ...made,
      source: made.source.replace(finalMark, ''),
      target: made.target.replace(finalMark, ''),
    };
  if (chance < 0.135) return { ...made, source: typo(made.source, draws) };
  if (chance < 0.235) return { ...made, source: made.source.replaceAll("'", '\u2019') };
  return made;
}
