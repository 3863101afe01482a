import { gunzipSync, gzipSync } from 'node:zlib';
import { maskedCrc32c } from '../../src/pretrained/crc32c.js';
import { damageBytes, damageJson } from './damage.js';
import type { Choices } from './random.js';

/** A way to damage a file; those below the bytes keep lengths and checksums right, so that damage comes through to what reads the content. */
export type Layer = (bytes: Uint8Array, choices: Choices) => Uint8Array;

/** The header of a safetensors file, whose length is mended. */
export const safetensorsHeader: Layer = (bytes, choices) => {
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  const header = damageJson(bytes.slice(8, 8 + length), choices);
  const head = new Uint8Array(8);
  new DataView(head.buffer).setBigUint64(0, BigInt(header.length), true);
  return Uint8Array.from(Buffer.concat([head, header, bytes.slice(8 + length)]));
};

/** What a gzip file holds. */
export const insideGzip: Layer = (bytes, choices) =>
  Uint8Array.from(gzipSync(damageBytes(gunzipSync(bytes), choices)));

/** Lines of JSON. */
export const jsonLines: Layer = (bytes, choices) => {
  const lines = new TextDecoder().decode(bytes).split('\n');
  const at = choices.number(lines.length);
  lines[at] = new TextDecoder().decode(damageJson(new TextEncoder().encode(lines[at]), choices));
  return new TextEncoder().encode(lines.join('\n'));
};

/** The first block of a sorted table (TensorFlow's index), whose checksum is mended. */
export const tableBlock: Layer = (bytes, choices) => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = firstBlockEnd(view);
  const result = bytes.slice();
  const damaged = damageBytes(bytes.slice(0, end), choices).slice(0, end);
  result.set(damaged);
  const crc = maskedCrc32c(result.subarray(0, end + 1));
  new DataView(result.buffer).setUint32(end + 1, crc, true);
  return result;
};

/** Where a block ends whose trailer holds the checksum of what stands before it. */
function firstBlockEnd(view: DataView): number {
  const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
  for (let end = 4; end + 5 <= bytes.length; end++) {
    if (bytes[end] === 0 && view.getUint32(end + 1, true) === maskedCrc32c(bytes.subarray(0, end + 1)))
      return end;
  }
  throw new Error('The seed has no block with a right checksum.');
}

export { damageBytes, damageJson };
