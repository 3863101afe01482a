import { splitLines } from '../text/utf8.js';
import { type CommandStreams, warn } from './streams.js';

const lineFeed = 10;
const replacement = '\ufffd';

/** Counts what could not be decoded. */
interface DecodingProblems {
  lines: number;
  firstLine: number;
  /** Replacement characters put in. */
  replaced: number;
}

/**
 * The texts a command works on, one at a time: its arguments where there are any (split at line ends), else the lines
 * of standard input, as they come. Bytes that are not UTF-8 become U+FFFD; at the end a warning says how many.
 */
export async function* readTexts(
  streams: CommandStreams,
  args: readonly string[] = [],
): AsyncGenerator<string> {
  if (args.length > 0) {
    for (const text of args) yield* text === '' ? [''] : splitLines(text);
    return;
  }
  if (streams.stdin.isTTY) {
    streams.stderr.write('Reading lines from the terminal; Ctrl-D ends.\n');
  }
  yield* readLines(streams);
}

/** The lines of standard input, as they come, without their line ends (LF or CRLF) and the byte order mark. */
export async function* readLines(streams: CommandStreams): AsyncGenerator<string> {
  const problems: DecodingProblems = { lines: 0, firstLine: 0, replaced: 0 };
  const decode = lineDecoder(problems);
  let pieces: Uint8Array[] = [];
  let before = 0;
  for await (const chunk of streams.stdin) {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
    let start = 0;
    for (let end = bytes.indexOf(lineFeed); end >= 0; end = bytes.indexOf(lineFeed, start)) {
      pieces.push(bytes.subarray(start, end));
      start = end + 1;
      streams.inputRead = before + start;
      yield decode(pieces);
      pieces = [];
    }
    if (start < bytes.length) pieces.push(bytes.subarray(start));
    before += bytes.length;
  }
  if (pieces.length > 0) yield decode(pieces);
  if (problems.lines > 0) {
    const lines = problems.lines === 1 ? '1 line was' : `${problems.lines} lines were`;
    warn(
      streams,
      `${lines} not valid UTF-8 (first: line ${problems.firstLine}); ${problems.replaced} invalid ` +
        `${problems.replaced === 1 ? 'sequence was' : 'sequences were'} replaced by U+FFFD.`,
    );
  }
}

/** Decodes one line after the other and counts what is wrong with them. */
function lineDecoder(problems: DecodingProblems): (pieces: Uint8Array[]) => string {
  const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  const lenient = new TextDecoder('utf-8', { ignoreBOM: true });
  let number = 0;
  return (pieces) => {
    number++;
    const bytes = pieces.length === 1 ? pieces[0] : Buffer.concat(pieces);
    let text: string;
    try {
      text = strict.decode(bytes);
    } catch {
      text = lenient.decode(bytes);
      problems.firstLine ||= number;
      problems.lines++;
      problems.replaced += text.split(replacement).length - 1;
    }
    if (number === 1 && text.startsWith('\ufeff')) text = text.slice(1);
    return text.endsWith('\r') ? text.slice(0, -1) : text;
  };
}

/** Groups items by `size`, in order; the last group may be smaller. */
export async function* inGroups<T>(items: AsyncIterable<T>, size: number): AsyncGenerator<T[]> {
  let group: T[] = [];
  for await (const item of items) {
    group.push(item);
    if (group.length === size) {
      yield group;
      group = [];
    }
  }
  if (group.length > 0) yield group;
}

/** A text without line ends: each becomes a space, together with the blanks around it. */
export function onOneLine(text: string): string {
  return text.replace(/\s*\n\s*/g, ' ');
}
