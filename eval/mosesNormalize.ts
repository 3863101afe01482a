import { PolybeamError } from '../src/errors.js';
import { requireText } from '../src/inputs.js';
import { trim } from './pythonText.js';

/** Languages whose Moses processing is implemented. */
export const mosesLanguages = ['en', 'de', 'fr'] as const;
export type MosesLanguage = (typeof mosesLanguages)[number];

/** Throws OPTION_INVALID for a language whose Moses processing is not implemented. */
export function checkLanguage(lang: string): asserts lang is MosesLanguage {
  if (!mosesLanguages.some((known) => known === lang)) {
    throw new PolybeamError(
      'OPTION_INVALID',
      `Moses processing is not implemented for language "${lang}": use ${mosesLanguages.join(', ')}.`,
    );
  }
}

const asciiFor: Record<string, string> = {
  '„': '"',
  '“': '"',
  '”': '"',
  '´': "'",
  '‘': "'",
  '’': "'",
  '‚': "'",
  '–': '-',
  '—': ' - ',
  '…': '...',
};

/**
 * Plain ASCII punctuation for typographic quotes, dashes, ellipses and no-break spaces, with the blanks around brackets
 * and before colons that each language writes: what Moses' normalize-punctuation does, as sacremoses 0.2 does it.
 *
 * @param text one line, not tokenized
 * @throws OPTION_INVALID for a language other than en, de, fr
 */
export function mosesNormalize(text: string, lang: MosesLanguage): string {
  requireText(text, 'text');
  checkLanguage(lang);
  const ascii = plainQuotes(plainBlanks(text));
  const spaced = noBreakSpaces(ascii);
  return trim(joinNumbers(quotesAndCommas(spaced, lang), lang));
}

function plainBlanks(text: string): string {
  return text
    .replaceAll('\r', '')
    .replaceAll('(', ' (')
    .replaceAll(')', ') ')
    .replace(/ +/g, ' ')
    .replace(/\) (?=[.!:?;,])/g, ')')
    .replace(/\( /g, '(')
    .replace(/ (?=\))/g, '')
    .replace(/(\p{Nd}) %/gu, '$1%')
    .replace(/ (?=[:;])/g, '');
}

function plainQuotes(text: string): string {
  return text
    .replace(/[`']{2}/g, ' " ')
    .replaceAll('`', "'")
    .replace(/[„“”´‘’‚–—…]/g, (character) => asciiFor[character])
    .replace(/ +/g, ' ')
    .replaceAll("''", '"')
    .replace(/\u00a0«\u00a0|«\u00a0?/g, '"')
    .replace(/\u00a0»\u00a0|\u00a0?»/g, '"');
}

function noBreakSpaces(text: string): string {
  return text
    .replaceAll('\u00a0%', '%')
    .replaceAll('nº\u00a0', 'nº ')
    .replace(/\u00a0(?=[:?!;])/g, '')
    .replace(/\u00a0(?=ºC|cm)|(?<=,)\u00a0/g, ' ')
    .replace(/ +/g, ' ');
}

/** English closes a quotation after the comma or period, German and French before it. */
function quotesAndCommas(text: string, lang: MosesLanguage): string {
  if (lang === 'en') return text.replace(/"([,.]+)/g, '$1"');
  return text.replaceAll(',"', '",').replace(/(\.+)"(\s*[^<])/g, '"$1$2');
}

/** A no-break space between digits groups them; Moses writes the sign that English or the others would. */
function joinNumbers(text: string, lang: MosesLanguage): string {
  return text.replace(/(\p{Nd})\u00a0(\p{Nd})/gu, lang === 'en' ? '$1.$2' : '$1,$2');
}
