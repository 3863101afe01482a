import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { charsmapFault } from './charsmap.js';
import { fixtures } from './tokenizer.contract.js';

/** SentencePiece's table of one rule, "ab" to "A": 256 units behind their size, then the strings. */
const whole = readFileSync(`${fixtures}/charsmap.bin`);

/** A copy with a unit of the trie, or the size before it (-1), changed. */
function changed(index: number, value: number): Uint8Array {
  const copy = Uint8Array.from(whole);
  new DataView(copy.buffer).setUint32(4 + 4 * index, value, true);
  return copy;
}

describe('charsmapFault', () => {
  it('finds nothing wrong with what SentencePiece wrote', () => {
    expect(charsmapFault(whole)).toBeUndefined();
  });

  it.each<[string, Uint8Array, string]>([
    ['no size', whole.subarray(0, 3), 'has 3 bytes'],
    ['no trie', Uint8Array.of(0, 0, 0, 0, 65, 0), 'has a trie of 0 bytes'],
    ['a trie that is cut off', whole.subarray(0, 600), 'has a trie of 1024 bytes'],
    ['a size that is none', changed(-1, 1023), 'has a trie of 1023 bytes'],
    ['a root that leads out of the trie', changed(0, 256 << 10), 'leads from unit 0 to unit 256 of 256'],
    [
      'a value that lies behind the strings',
      changed(0, (1 << 10) | (1 << 8)),
      'into the middle of a character',
    ],
    ['strings that are no UTF-8', changed(255, 0).with(1028, 0xff), 'holds strings that are not UTF-8'],
  ])('names %s', (_, bytes, fault) => {
    expect(charsmapFault(bytes)).toContain(fault);
  });
});
