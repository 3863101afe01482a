import { Command } from 'commander';
import { z } from 'zod';
import { PolybeamError } from '../errors.js';
import { inputName } from '../inputs.js';
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
        '"pooler_output"} for encoders, with "logits" if they have a language-model head.',
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
    let index = 0;
    for await (const line of readInputs(streams, inputSchema)) {
      const name = inputName(index++);
      if (line === undefined) {
        await writeOut(streams, '\n');
        continue;
      }
      const run = model.forward({
        inputIds: line.input_ids,
        attentionMask: line.attention_mask,
        tokenTypeIds: line.token_type_ids,
        langs: line.langs,
        decoderInputIds: line.decoder_input_ids,
      });
      const { logits, lastHiddenState, poolerOutput } = await run.catch((error) => {
        if (!(error instanceof PolybeamError) || error.code !== 'INPUT_INVALID') throw error;
        throw new PolybeamError(error.code, `${name}: ${error.message}`, { cause: error });
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
