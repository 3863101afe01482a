import { type AnyValue, isOnDevice } from './values.js';

/*
 * Allocating some dozens of megabytes for each batch makes the garbage collector run beside the products, on the same
 * cores. So large arrays that are no more in use can be given back, for the next ones. They are held weakly: what the
 * collector takes all the same is allocated anew.
 */

const spare: WeakRef<ArrayBuffer>[] = [];

/** Memory made here that is in use: nothing else may come back, such as what a tfjs backend still holds. */
const inUse = new WeakSet<ArrayBufferLike>();

/** The state of a batch has two or four arrays for each decoder layer. */
const mostSpare = 512;

/** Smaller ones are not worth looking for. */
const leastBytes = 2 ** 12;

/** Gives back what was taken for values; nothing may read or write them any more. Memory from elsewhere is left alone. */
export function giveBack(values: Readonly<Record<string, AnyValue>>): void {
  for (const value of Object.values(values)) {
    if (!isOnDevice(value) && inUse.delete(value.data.buffer)) {
      spare.push(new WeakRef(value.data.buffer as ArrayBuffer));
    }
  }
  spare.splice(0, spare.length - mostSpare);
}

/** Memory for numbers, at most half of it unused; what it holds is anything. */
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
