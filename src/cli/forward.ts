import { Command } from 'commander';
import { z } from 'zod';
import { readInputs, tokenIds } from './jsonLines.js';
import { addFileFlags, type FileFlags, redirected } from './redirect.js';
import { type CommandStreams, writeOut } from './streams.js';
import { addModelFlags, type ModelFlags, useModel } from './useModel.js';

const inputSchema = z.strictObject({
  input_ids: tokenIds,
  attention_mask: tokenIds.optional(),
  token_type_ids: tokenIds.optional(),
  langs: tokenIds.optional(),
  decoder_input_ids: tokenIds.optional(),
});

/** `polybeam forward`: one pass of a model over given ids, as JSON lines. */
export function forwardCommand(streams: CommandStreams = process): Command {
  const command = new Command('forward')
    .description(
      'Run a model once over token ids. Each line of standard input is {"input_ids"} with optional "attention_mask", ' +
        '"token_type_ids", "langs" and "decoder_input_ids"; each gives {"logits"}, or {"last_hidden_state", ' +
        '"pooler_output"} for encoders, with "logits" where they have the head of a language model.',
    )
    .addHelpText(
      'after',
      `
Examples:
  $ echo '{"input_ids": [101, 7592, 102]}' | polybeam forward --model bert-base-uncased
  $ echo '{"input_ids": [5, 8, 2], "decoder_input_ids": [0, 4]}' | polybeam forward --model models/en-fr-software`,
    );
  addFileFlags(command);
  addModelFlags(command, ['batchSize', 'maxBatchTokens', 'ensemble', 'ensembleWeights', 'ensembleCombine']);
  return command.action((flags: ModelFlags & FileFlags) =>
    redirected(flags, streams, (own) => forward(flags, own)),
  );
}

async function forward(flags: ModelFlags, streams: CommandStreams): Promise<void> {
  await useModel(flags, streams, async (model) => {
    for await (const line of readInputs(streams, inputSchema)) {
      if (line === undefined) {
        await writeOut(streams, '\n');
        continue;
      }
      const { logits, lastHiddenState, poolerOutput } = await model.forward({
        inputIds: line.input_ids,
        attentionMask: line.attention_mask,
        tokenTypeIds: line.token_type_ids,
        langs: line.langs,
        decoderInputIds: line.decoder_input_ids,
      });
      const output = { logits, last_hidden_state: lastHiddenState, pooler_output: poolerOutput };
      await writeOut(streams, `${JSON.stringify(output, shortFloats)}\n`);
    }
  });
}

/** Nine digits are all that a float32 holds. */
function shortFloats(_: string, value: unknown): unknown {
  return typeof value === 'number' ? Number(value.toPrecision(9)) : value;
}
