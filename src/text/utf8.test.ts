import { describe, expect, it } from 'vitest';
import { decodeUtf8Lines } from './utf8.js';

const bytes = (...parts: (string | number[])[]) =>
  Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : Buffer.from(part))));

describe('decodeUtf8Lines', () => {
  it('splits at LF and CRLF, valid or not, in the same way', () => {
    for (const ending of ['', '\n']) {
      const text = `é\r\n\r\nb\rc\n\n d${ending}`;
      const lines = ['é', '', 'b\rc', '', ' d'];
      expect(decodeUtf8Lines(bytes(text))).toEqual({ lines, invalidLines: 0 });
      const spoiled = decodeUtf8Lines(bytes(text.replace(' d', 'd'), [0xff]));
      expect(spoiled.lines.slice(0, 4)).toEqual(lines.slice(0, 4));
    }
    expect(decodeUtf8Lines(bytes('')).lines).toEqual([]);
    expect(decodeUtf8Lines(bytes('\n\n')).lines).toEqual(['', '']);
  });

  it('replaces invalid bytes in their line only, and counts lines', () => {
    const result = decodeUtf8Lines(
      bytes('a\nb', [0xc3], '\né', [0x80, 0xff], '\n', [0xed, 0xa0, 0x80], '\nok'),
    );
    expect(result.lines).toEqual(['a', 'b\uFFFD', 'é\uFFFD\uFFFD', '\uFFFD\uFFFD\uFFFD', 'ok']);
    expect([result.invalidLines, result.firstInvalidLine]).toEqual([3, 2]);
  });

  it('drops a byte order mark and keeps U+FFFD that was there', () => {
    expect(decodeUtf8Lines(bytes('\uFEFFa\uFFFD\n'))).toEqual({ lines: ['a\uFFFD'], invalidLines: 0 });
    expect(decodeUtf8Lines(bytes('\uFEFFa', [0xff])).lines).toEqual(['a\uFFFD']);
  });
});
