import { readFile } from 'node:fs/promises';
import { trimEnd } from '../../../eval/pythonText.js';
import { PolybeamError } from '../../errors.js';
import { unpackBytes } from '../../gzip.js';
import { requireFlag } from '../flags.js';

/** Streams that the command uses, so that tests can pass their own. */
export interface EvaluateStreams {
  stdin: AsyncIterable<Uint8Array | string>;
  stdout: { write(text: string): unknown };
  stderr: { write(text: string): unknown };
}

/**
 * Reads files that belong together line by line, the first one setting the number of lines.
 *
 * @param paths at most one of them - (standard input)
 * @throws INPUT_INVALID where the numbers of lines differ
 */
export async function readParallel(paths: readonly string[], streams: EvaluateStreams): Promise<string[][]> {
  if (paths.filter((path) => path === '-').length > 1) {
    throw new PolybeamError(
      'OPTION_CONFLICT',
      'Only one of the hypothesis and the references can be - (standard input): name files for the others.',
    );
  }
  const files: string[][] = [];
  for (const path of paths) {
    const lines = await readLines(path, streams);
    if (files.length > 0 && lines.length !== files[0].length) {
      throw new PolybeamError(
        'INPUT_INVALID',
        `${describePath(path)} has ${count(lines)} and ${describePath(paths[0])} has ${count(files[0])}: ` +
          'each line needs its counterpart.',
      );
    }
    files.push(lines);
  }
  return files;
}

/** What the argument of systems is, for help. */
export const hypothesesHelp =
  'file with a line per segment, .gz or not, several to compare systems; - or nothing reads standard input';

/** Reads the files of one or several systems, and their references, which must be given: as `readParallel`. */
export async function readSystems(
  paths: readonly string[],
  reference: readonly string[] | undefined,
  streams: EvaluateStreams,
): Promise<{ hypotheses: string[][]; references: string[][] }> {
  const references = requireFlag(reference, '--reference');
  const files = await readParallel([...paths, ...references], streams);
  return { hypotheses: files.slice(0, paths.length), references: files.slice(paths.length) };
}

function count(lines: readonly string[]): string {
  return lines.length === 1 ? '1 line' : `${lines.length} lines`;
}

/** The lines of a file, or of standard input for -, without trailing blanks; throws FILE_NOT_FOUND, FILE_CORRUPT, INPUT_INVALID. */
export async function readLines(path: string, streams: EvaluateStreams): Promise<string[]> {
  const stored = path === '-' ? await readStream(streams.stdin) : await readFileOrFail(path);
  const bytes = await unpackBytes(stored, path);
  let text: string;
  try {
    // A byte order mark is kept: sacreBLEU scores it as a character.
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new PolybeamError(
      'INPUT_INVALID',
      `${describePath(path)} is not UTF-8 (line ${brokenLine(bytes)}): convert it, for instance with iconv.`,
      { cause },
    );
  }
  if (text === '') {
    throw new PolybeamError('INPUT_INVALID', `${describePath(path)} is empty: there is nothing to score.`);
  }
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  return lines.map(trimEnd);
}

/** Number of the first line that is not UTF-8, from 1; a line feed is never a part of another character. */
function brokenLine(bytes: Uint8Array): number {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let line = 1;
  for (let start = 0; start < bytes.length; line++) {
    const feed = bytes.indexOf(10, start);
    const end = feed < 0 ? bytes.length : feed;
    try {
      decoder.decode(bytes.subarray(start, end));
    } catch {
      break;
    }
    start = end + 1;
  }
  return line;
}

async function readStream(stream: EvaluateStreams['stdin']): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(Buffer.from(chunk as Uint8Array));
  return Buffer.concat(chunks);
}

async function readFileOrFail(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? 'unknown error';
    const reason =
      code === 'ENOENT'
        ? 'does not exist'
        : code === 'EISDIR'
          ? 'is a directory'
          : `cannot be read (${code})`;
    throw new PolybeamError('FILE_NOT_FOUND', `${describePath(path)} ${reason}: give a readable file.`, {
      cause,
    });
  }
}

/** A path as messages name it. */
export function describePath(path: string): string {
  return path === '-' ? 'Standard input' : `"${path}"`;
}
