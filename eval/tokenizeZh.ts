import { requireText } from '../src/inputs.js';
import { trim } from './pythonText.js';
import { splitPunctuation } from './tokenize13a.js';

// The ranges are those of sacreBLEU's zh tokenizer (Apache-2.0; its author Shujian Huang, 2017, MIT). Two of its
// entries are five-digit escapes that Python reads as four digits and a '0': what was meant for CJK extension B is
// in effect U+2001..2A6D, so dashes and curly quotes are split off too and extension B is not. Scores need the effect.
const standsAlone =
  /[\u2001-\u2a6d\u2e80-\u2fdf\u2ff0-\u303f\u3100-\u312f\u31a0-\u31ef\u3200-\u4db5\u4e00-\u9fbb\uf900-\ufa2d\ufa30-\ufa6a\ufa70-\ufad9\ufe10-\ufe1f\ufe30-\ufe4f\uff00-\uffef]/g;

/** sacreBLEU's Chinese tokenizer: each Chinese character stands alone, and the rest is split as in 13a. */
export function tokenizeZh(line: string): string[] {
  requireText(line, 'line');
  return splitPunctuation(trim(line).replace(standsAlone, ' $& '));
}
