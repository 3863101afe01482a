import { PolybeamError } from './errors.js';
import { fileAccess } from './files.js';

/** Bytes of a file that are read at once. */
const chunkBytes = 1 << 22;

/** Turns one gzip member, or several where the platform reads them, into its content. It checks length and checksum. */
export type Gunzip = (packed: Uint8Array) => Promise<Uint8Array>;

/**
 * A file's content, unpacked where it is gzip (RFC 1952): all members, each checked against its checksum.
 * @throws FILE_NOT_FOUND; FILE_CORRUPT for damaged gzip, and for a file named `.gz` that is none
 */
export async function readUnpacked(path: string): Promise<Uint8Array> {
  return unpackBytes(await fileAccess().read(path), path);
}

/** The same piece by piece, so that memory does not grow with the file. */
export async function* unpackedChunks(path: string): AsyncGenerator<Uint8Array> {
  const size = await fileAccess().size(path);
  if (size === undefined) {
    // A pipe has no size and can be read once; what does not exist is refused here.
    yield await readUnpacked(path);
    return;
  }
  const head = await fileAccess().readRange(path, 0, Math.min(2, size));
  yield* unpack(storedChunks(path, size), head, path);
}

/** The same of bytes that come one after the other, as from a pipe. @param path see `unpackBytes` */
export async function* unpackedStream(
  chunks: AsyncIterable<Uint8Array>,
  path: string,
): AsyncGenerator<Uint8Array> {
  const rest = chunks[Symbol.asyncIterator]();
  const first: Uint8Array[] = [];
  // A pipe may give one byte at first.
  for (let length = 0; length < 2; ) {
    const { value, done } = await rest.next();
    if (done) break;
    first.push(value);
    length += value.length;
  }
  const head = joined(first);
  async function* all(): AsyncGenerator<Uint8Array> {
    yield head;
    yield* { [Symbol.asyncIterator]: () => rest };
  }
  yield* unpack(all(), head, path);
}

/** Whether a file that begins so is gzip. */
export function isGzip(head: Uint8Array): boolean {
  return head[0] === 0x1f && head[1] === 0x8b;
}

/** The same of bytes that are in memory. @param path names them in errors, and says by `.gz` that they are packed */
export async function unpackBytes(bytes: Uint8Array, path: string): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of unpack([bytes], bytes, path)) {
    chunks.push(chunk);
    length += chunk.length;
    if (length > largest && length > mostTimes * bytes.length) throw bomb(path, bytes.length);
  }
  return joined(chunks);
}

/** What holds a whole file takes 1 GiB of any, and more only of those that are not a hundred times smaller when packed, as no text is. */
const largest = 2 ** 30;
const mostTimes = 100;

function bomb(path: string, size: number): PolybeamError {
  return new PolybeamError(
    'FILE_CORRUPT',
    `${path} has ${size} bytes and more than ${largest} when unpacked, which is no text: unpack it and look at it.`,
  );
}

type Chunks = Iterable<Uint8Array> | AsyncIterable<Uint8Array>;

async function* unpack(chunks: Chunks, head: Uint8Array, path: string): AsyncGenerator<Uint8Array> {
  if (!isGzip(head)) {
    if (path.endsWith('.gz') && head.length > 0) {
      throw new PolybeamError(
        'FILE_CORRUPT',
        `${path} is not a gzip file: give the file as it was compressed, or rename it without .gz if it is plain text.`,
      );
    }
    yield* chunks;
    return;
  }
  try {
    const { gunzip } = fileAccess();
    if (gunzip) yield* gunzip(chunks);
    else yield* gunzipMembers(joined(await collected(chunks)), gunzipByStream);
  } catch (cause) {
    if (cause instanceof PolybeamError) throw cause;
    throw new PolybeamError(
      'FILE_CORRUPT',
      `${path} is a damaged gzip file (${(cause as Error).message}): fetch or compress it again.`,
      { cause },
    );
  }
}

/** The platform's own decompressor. Those of browsers read one member and refuse what follows it. */
async function gunzipByStream(packed: Uint8Array): Promise<Uint8Array> {
  const stream = new Blob([packed as BlobPart]).stream().pipeThrough(new DecompressionStream('gzip'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** Places that look like the beginning of a member and are none, before a file is refused. */
const mostFalseStarts = 16;

/**
 * The contents of gzip members, one after the other, by a function that reads one. Where a member ends is written nowhere: it is
 * the next place that begins as a member does and before which the function accepts the bytes.
 * @throws what `gunzip` throws where no division into members is accepted
 */
export async function* gunzipMembers(packed: Uint8Array, gunzip: Gunzip): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < packed.length; ) {
    const { content, end } = await firstMember(packed.subarray(start), gunzip);
    yield content;
    start += end;
  }
}

async function firstMember(
  packed: Uint8Array,
  gunzip: Gunzip,
): Promise<{ content: Uint8Array; end: number }> {
  let failure: unknown;
  try {
    return { content: await gunzip(packed), end: packed.length };
  } catch (error) {
    failure = error;
  }
  let end = memberStart(packed, 1);
  for (let tries = 0; end >= 0 && tries < mostFalseStarts; tries++) {
    try {
      return { content: await gunzip(packed.subarray(0, end)), end };
    } catch {
      end = memberStart(packed, end + 1);
    }
  }
  throw failure;
}

/** The next place with a member's magic number, the method "deflate", and no flag that RFC 1952 reserves; -1 where there is none. */
function memberStart(bytes: Uint8Array, from: number): number {
  for (let at = bytes.indexOf(0x1f, from); at >= 0; at = bytes.indexOf(0x1f, at + 1)) {
    if (bytes[at + 1] === 0x8b && bytes[at + 2] === 8 && bytes[at + 3] < 0x20) return at;
  }
  return -1;
}

async function* storedChunks(path: string, size: number): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < size; start += chunkBytes) {
    yield await fileAccess().readRange(path, start, Math.min(start + chunkBytes, size));
  }
}

async function collected(chunks: Chunks): Promise<Uint8Array[]> {
  const all: Uint8Array[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return all;
}

/** Bytes one after the other in one array. */
export function joined(parts: readonly Uint8Array[]): Uint8Array {
  if (parts.length === 1) return parts[0];
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
