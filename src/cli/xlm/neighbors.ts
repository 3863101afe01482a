import { Command } from 'commander';
import { z } from 'zod';
import { addSchemaFlags } from '../flags.js';
import type { CommandStreams } from '../streams.js';

const commandSchema = z.strictObject({
  topK: z.int().min(1).default(10).describe('Number of neighbors to print for each word.'),
});

type NeighborFlags = Partial<z.output<typeof commandSchema>>;

/** `polybeam xlm neighbors`: what lies near words and n-grams. */
export function neighborsCommand(streams: CommandStreams = process): Command {
  const command = new Command('neighbors')
    .description(
      'Print the nearest neighbors of words and n-grams, as lines of word, tab, neighbor, tab, cosine.',
    )
    .argument('<vectors>', 'file of vectors (.vec, .vec.gz) or fastText model (.bin)')
    .argument('<words...>', 'words and n-grams; a fastText model also has vectors of unseen words')
    .addHelpText(
      'after',
      `
Examples:
  $ polybeam xlm neighbors en.vec dog "red car"
  $ polybeam xlm neighbors --top-k 3 cc.de.300.bin Wortzusammensetzung`,
    );
  addSchemaFlags(command, commandSchema);
  return command.action((path: string, words: string[], flags: NeighborFlags) =>
    printNeighbors(path, words, flags, streams),
  );
}

async function printNeighbors(
  path: string,
  words: string[],
  { topK = 10 }: NeighborFlags,
  streams: CommandStreams,
): Promise<void> {
  const { nearestNeighbors, openSpace } = await import('../../xlm/vectors/neighbors.js');
  const { vectors, vectorsOf } = await openSpace(path);
  const queries = await vectorsOf(words);
  for (const [at, word] of words.entries()) {
    const query = queries.subarray(at * vectors.size, (at + 1) * vectors.size);
    for (const { text, cosine } of nearestNeighbors(vectors, query, topK, new Set([word]))) {
      streams.stdout.write(`${word}\t${text}\t${cosine.toFixed(4)}\n`);
    }
  }
}
