/** Lines of a text file, and how many of them were not valid UTF-8. */
export interface DecodedLines {
  /** Lines without their line ends (LF or CRLF); a final line end makes no empty line. */
  lines: string[];
  /** Lines in which at least one invalid byte became U+FFFD. */
  invalidLines: number;
  /** 1-based number of the first such line, or undefined where every line is valid. */
  firstInvalidLine?: number;
}

const lineFeed = 10;
const carriageReturn = 13;

/**
 * Decodes a text file line by line. Bytes that are not UTF-8 become U+FFFD in their own line only, and are counted, so
 * that a caller can warn instead of losing the file. A byte order mark at the start is dropped.
 */
export function decodeUtf8Lines(bytes: Uint8Array): DecodedLines {
  const whole = decodeValid(stripByteOrderMark(bytes));
  if (whole !== undefined) return { lines: splitLines(whole), invalidLines: 0 };
  return decodeEachLine(stripByteOrderMark(bytes));
}

/** Splits text at LF or CRLF; a final line end makes no empty line. */
export function splitLines(text: string): string[] {
  const lines = text.split(/\r?\n/);
  if (lines[lines.length - 1] === '') lines.pop();
  return lines;
}

function decodeEachLine(bytes: Uint8Array): DecodedLines {
  const lenient = new TextDecoder('utf-8', { ignoreBOM: true });
  const lines: string[] = [];
  let invalidLines = 0;
  let firstInvalidLine: number | undefined;
  for (let start = 0; start < bytes.length; ) {
    const found = bytes.indexOf(lineFeed, start);
    const next = found < 0 ? bytes.length : found;
    const end = found > start && bytes[found - 1] === carriageReturn ? found - 1 : next;
    const line = bytes.subarray(start, end);
    const valid = decodeValid(line);
    lines.push(valid ?? lenient.decode(line));
    if (valid === undefined) {
      invalidLines++;
      firstInvalidLine ??= lines.length;
    }
    start = next + 1;
  }
  return { lines, invalidLines, firstInvalidLine };
}

function decodeValid(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function stripByteOrderMark(bytes: Uint8Array): Uint8Array {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? bytes.subarray(3) : bytes;
}
