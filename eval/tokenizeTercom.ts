import { requireObject, requireText } from '../src/inputs.js';
import { splitWords, trimEnd } from './pythonText.js';

/** What Tercom does to a text before it compares words; the defaults of TER are all false. */
export interface TercomOptions {
  /** Keep case. */
  caseSensitive: boolean;
  /** Take punctuation apart, as Tercom's -N. */
  normalized: boolean;
  /** Remove punctuation, as Tercom's -P. */
  noPunct: boolean;
  /** With the two others: take Chinese characters apart, and treat Asian punctuation too. */
  asianSupport: boolean;
}

const asianPunctuation = /[\u3001\u3002\u3008-\u3011\u3014-\u301f\uff61-\uff65\u30fb]/g;
const fullWidthPunctuation = /[\uff0e\uff0c\uff1f\uff1a\uff1b\uff01\uff02\uff08\uff09]/g;

/** Words of a line as sacreBLEU's TercomTokenizer finds them. */
export function tokenizeTercom(line: string, options: TercomOptions): string[] {
  requireObject(options, 'options', 'options such as caseSensitive');
  requireText(line, 'line');
  let text = trimEnd(line);
  if (!options.caseSensitive) text = text.toLowerCase();
  if (options.normalized) {
    text = normalizeWestern(text);
    if (options.asianSupport) text = normalizeAsian(text);
  }
  if (options.noPunct) {
    text = text.replace(/[.,?:;!"()]/g, '');
    if (options.asianSupport) text = text.replace(asianPunctuation, '').replace(fullWidthPunctuation, '');
  }
  return splitWords(text);
}

function normalizeWestern(text: string): string {
  const joined = text.replace(/\n-/g, '').replace(/\n/g, ' ');
  const unescaped = joined
    .replace(/&quot;/g, '"')
    .replace(/&amp;/g, '&')
    .replace(/&lt;/g, '<')
    .replace(/&gt;/g, '>');
  return ` ${unescaped} `
    .replace(/[{-~[-` -&(-+:-@/]/g, ' $& ')
    .replace(/'s /g, " 's ")
    .replace(/([^0-9])([.,])/gu, '$1 $2 ')
    .replace(/([.,])([^0-9])/gu, ' $1 $2')
    .replace(/([0-9])(-)/g, '$1 $2 ');
}

/**
 * Chinese characters one by one, and punctuation apart. Tercom has rules for Kana as well, which can only match at the
 * beginning of a text, where normalizeWestern has put a blank.
 */
function normalizeAsian(text: string): string {
  return text
    .replace(/[\u4e00-\u9fff\u3400-\u4dbf]/g, ' $& ')
    .replace(/[\u31c0-\u31ef\u2e80-\u2eff]/g, ' $& ')
    .replace(/[\u3300-\u33ff\uf900-\ufaff\ufe30-\ufe4f]/g, ' $& ')
    .replace(/[\u3200-\u3f22]/g, ' $& ')
    .replace(asianPunctuation, ' $& ')
    .replace(fullWidthPunctuation, ' $& ');
}
