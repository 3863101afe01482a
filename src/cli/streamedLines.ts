import type { Model } from '../pretrained/model.js';
import type { StreamInput, StreamOptions } from '../pretrained/modelStream.js';
import { type CommandStreams, caughtUp } from './streams.js';

/**
 * Translates lines together and prints each as it becomes final: the first that is not complete grows on the screen, those
 * after it wait for their turn.
 */
export async function printStreamed(
  lines: readonly StreamInput[],
  model: Pick<Model, 'stream'>,
  options: StreamOptions,
  { stdout }: CommandStreams,
): Promise<void> {
  let behind = false;
  const writer = createLinesWriter(lines.length, (text) => {
    behind = stdout.write(text) === false;
  });
  for await (const { index, delta, ended } of model.stream(lines, options)) {
    writer.add(index, delta);
    if (ended) writer.end(index);
    if (behind) await caughtUp(stdout);
    behind = false;
  }
}

/** Lines that grow at the same time and are printed one after the other. */
interface LinesWriter {
  add(line: number, text: string): void;
  end(line: number): void;
}

/** @param write is called with text that is not empty */
export function createLinesWriter(count: number, write: (text: string) => unknown): LinesWriter {
  const lines = Array.from({ length: count }, createLine);
  let current = 0;
  const print = () => {
    let text = '';
    for (; current < count; current++) {
      text += lines[current].take();
      if (!lines[current].ended()) break;
      text += '\n';
    }
    if (text !== '') write(text);
  };
  return {
    add: (line, text) => {
      lines[line].add(text);
      if (line === current) print();
    },
    end: (line) => {
      lines[line].end();
      if (line === current) print();
    },
  };
}

/** A line that grows; line ends within it become spaces, together with the blanks around them. */
function createLine() {
  let text = '';
  let blanks = '';
  let ended = false;
  return {
    ended: () => ended,
    add: (piece: string) => {
      const whole = blanks + piece;
      const words = whole.trimEnd();
      // Blanks wait for what follows them: it may be a line end.
      blanks = whole.slice(words.length);
      text += words.replace(/\s*\n\s*/g, ' ');
    },
    end: () => {
      text += blanks.includes('\n') ? ' ' : blanks;
      ended = true;
    },
    take: () => {
      const taken = text;
      text = '';
      return taken;
    },
  };
}
