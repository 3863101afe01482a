/**
 * What is wrong with a `precompiled_charsmap` of SentencePiece, or undefined. It is a trie of darts-clone (its size in bytes, then
 * units of 32 bits) and the strings that it points into. Libraries follow its offsets without a check.
 */
export function charsmapFault(bytes: Uint8Array): string | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 4) return `has ${bytes.length} bytes`;
  const size = view.getUint32(0, true);
  if (size === 0 || size % 1024 !== 0 || size > bytes.length - 4) return `has a trie of ${size} bytes`;
  const strings = bytes.subarray(4 + size);
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(strings);
  } catch {
    return 'holds strings that are not UTF-8';
  }
  const unitAt = (index: number) => view.getUint32(4 + 4 * index, true);
  for (let index = 0; index < size / 4; index++) {
    const unit = unitAt(index);
    // A value; the root is followed whatever it is.
    if (index > 0 && unit >>> 31 === 1) continue;
    // A lookup goes on within the block of 256 units that the offset leads to, or reads the value there.
    const offset = (unit >>> 10) << ((unit & (1 << 9)) >>> 6);
    const next = (index ^ offset) >>> 0;
    if (next >= size / 4) return `leads from unit ${index} to unit ${next} of ${size / 4}`;
    const hasValue = (unit >>> 8) & 1;
    if (hasValue && !startsCharacter(strings, unitAt(next) & 0x7fffffff)) {
      return `leads from unit ${index} into the middle of a character`;
    }
  }
  return undefined;
}

function startsCharacter(strings: Uint8Array, at: number): boolean {
  return at < strings.length && (strings[at] & 0xc0) !== 0x80;
}
