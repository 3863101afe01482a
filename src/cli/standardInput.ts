import { fstatSync } from 'node:fs';
import { PolybeamError } from '../errors.js';
import type { CommandStreams } from './streams.js';

/**
 * Standard input as commands read it, with its size where it is a file, so that progress can say what is left. A directory, which
 * Node reads as nothing, is refused by whoever reads it.
 *
 * @param descriptor of the file that `stream` reads
 */
export function standardInput(
  stream: CommandStreams['stdin'],
  descriptor = 0,
): Pick<CommandStreams, 'stdin' | 'inputSize'> {
  try {
    const status = fstatSync(descriptor);
    if (status.isDirectory()) return { stdin: refusal() };
    return { stdin: stream, inputSize: status.isFile() ? status.size : undefined };
  } catch {
    return { stdin: stream };
  }
}

/** An input whose first chunk is an error. */
function refusal(): CommandStreams['stdin'] {
  return {
    [Symbol.asyncIterator]: () => ({
      next: () =>
        Promise.reject(
          new PolybeamError(
            'INPUT_INVALID',
            'Standard input is a directory: give a file, such as < input.txt.',
          ),
        ),
    }),
  };
}
