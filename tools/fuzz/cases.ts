import { damageBytes } from './damage.js';
import { choicesOf } from './random.js';
import type { Reader } from './readers.js';

/** A file that a reader is given. */
export interface Case {
  reader: Reader;
  /** The seed's path. */
  path: string;
  bytes: Uint8Array;
}

/** Case `number` under `seed`: which reader, which of its files and what damage follow from these two alone. */
export function makeCase(
  readers: readonly Reader[],
  seed: number,
  number: number,
  read: (path: string) => Uint8Array,
): Case {
  const choices = choicesOf(seed, number);
  const reader = choices.of(readers);
  const path = choices.of(reader.seeds);
  const damage = choices.of([damageBytes, ...reader.layers]);
  return { reader, path, bytes: damage(Uint8Array.from(read(path)), choices) };
}
