import { type AnyValue, isOnDevice } from './values.js';

/*
 * Allocating dozens of megabytes for each batch makes the garbage collector compete with the matrix products for cores.
 * So large arrays return to a pool after use and are allocated from it. The pool holds them by weak references: the
 * collector may still free them.
 */

const spare: WeakRef<ArrayBuffer>[] = [];

/** Buffers of this module that are in use. Others, such as those that a tfjs backend holds, never enter the pool. */
const inUse = new WeakSet<ArrayBufferLike>();

/** The state of a batch has two or four arrays for each decoder layer. */
const mostSpare = 512;

/** Smaller arrays are not pooled. */
const leastBytes = 2 ** 12;

/** Returns the buffers of values to the pool; do not use the values afterwards. Buffers from elsewhere are left alone. */
export function giveBack(values: Readonly<Record<string, AnyValue>>): void {
  for (const value of Object.values(values)) {
    if (!isOnDevice(value) && inUse.delete(value.data.buffer)) {
      spare.push(new WeakRef(value.data.buffer as ArrayBuffer));
    }
  }
  spare.splice(0, spare.length - mostSpare);
}

/** An array from the pool, or a new one. Its contents are undefined; at most half of its buffer is unused. */
export function takeFloats(length: number): Float32Array<ArrayBuffer> {
  const bytes = length * Float32Array.BYTES_PER_ELEMENT;
  if (bytes < leastBytes) return new Float32Array(length);
  const buffer = takeSpare(bytes) ?? new ArrayBuffer(bytes);
  inUse.add(buffer);
  return new Float32Array(buffer, 0, length);
}

function takeSpare(bytes: number): ArrayBuffer | undefined {
  for (let at = spare.length - 1; at >= 0; at--) {
    const buffer = spare[at].deref();
    const fits = buffer !== undefined && buffer.byteLength >= bytes && buffer.byteLength <= 2 * bytes;
    if (buffer === undefined || fits) spare.splice(at, 1);
    if (fits) return buffer;
  }
  return undefined;
}
