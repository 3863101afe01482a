import { Command } from 'commander';
import { z } from 'zod';
import { minimumBayesRisk, minimumBayesRiskSchema } from '../reranking/minimumBayesRisk.js';
import { addSchemaFlags, schemaValues } from './flags.js';
import { readInputs } from './jsonLines.js';
import { addFileFlags, type FileFlags, redirected } from './redirect.js';
import { type CommandStreams, writeOut } from './streams.js';

/** A line of `polybeam generate`, of which only the texts are read. */
const inputSchema = z.strictObject({
  input_ids: z.unknown().optional(),
  sequences: z.array(z.looseObject({ text: z.string() })),
});

const flagSchema = minimumBayesRiskSchema.pick({ utility: true });

/** `polybeam rerank`: n-best lists in another order. */
export function rerankCommand(streams: CommandStreams = process): Command {
  const command = new Command('rerank')
    .description(
      'Rerank by minimum Bayes risk: sort the sequences of each line that generate wrote by their agreement with the ' +
        'others. Works best with samples. Adds a "utility" to each sequence.',
    )
    .addHelpText(
      'after',
      `
Examples:
  $ polybeam generate --model DIR --num-beams 1 --do-sample --num-return-sequences 20 < in.jsonl | polybeam rerank
  $ polybeam rerank --utility bleu --input nbest.jsonl --output ranked.jsonl`,
    );
  addFileFlags(command);
  addSchemaFlags(command, flagSchema);
  return command.action((flags: Record<string, unknown> & FileFlags) =>
    redirected(flags, streams, (own) => rerank(flags, own)),
  );
}

async function rerank(flags: Record<string, unknown>, streams: CommandStreams): Promise<void> {
  const options = schemaValues(flagSchema, flags);
  for await (const line of readInputs(streams, inputSchema)) {
    if (line === undefined) {
      await writeOut(streams, '\n');
      continue;
    }
    const ranked = minimumBayesRisk(
      line.sequences.map(({ text }) => text),
      options,
    );
    const sequences = ranked.map(({ index, utility }) => ({ ...line.sequences[index], utility }));
    await writeOut(streams, `${JSON.stringify({ ...line, sequences })}\n`);
  }
}
