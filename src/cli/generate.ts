import { Command } from 'commander';
import { z } from 'zod';
import { generationOptionsSchema } from '../generation/options.js';
import { pharaoh } from '../pretrained/alignment.js';
import type { ModelOutput } from '../pretrained/modelOutput.js';
import type { ModelInput } from '../pretrained/modelParts.js';
import { withFlagNames } from './flags.js';
import { readInputs, tokenIds } from './jsonLines.js';
import { addLanguageFlags, type LanguageFlags } from './languages.js';
import { inPortions } from './portions.js';
import { addFileFlags, type FileFlags, redirected } from './redirect.js';
import { withDecoder } from './stopStrings.js';
import { type CommandStreams, warn } from './streams.js';
import { addUnknownFlags, type UnknownFlags, unknownReplacement } from './unknownWords.js';
import {
  addGenerationFlags,
  addModelFlags,
  generationFlags,
  type ModelFlags,
  useModel,
  withFiles,
} from './useModel.js';

const constraints = {
  force_words_ids: generationOptionsSchema.shape.forceWordsIds,
  prefix: z.union([z.string(), tokenIds]).optional(),
};

const inputSchema = z.union([
  z.strictObject({ text: z.string(), ...constraints }),
  z.strictObject({
    ...constraints,
    input_ids: tokenIds,
    attention_mask: tokenIds.optional(),
    decoder_input_ids: tokenIds.optional(),
  }),
]);

type GenerateFlags = ModelFlags & UnknownFlags & FileFlags & LanguageFlags & { logProbabilities?: boolean };

/** `polybeam generate`: token ids or texts in, sequences with scores out, as JSON lines. */
export function generateCommand(streams: CommandStreams = process): Command {
  const command = new Command('generate')
    .description(
      'Generate from JSON lines on standard input. Each is {"text"} or {"input_ids"} with optional "attention_mask", ' +
        '"decoder_input_ids", "prefix" (the beginning of the outputs: a text or ids) and "force_words_ids"; each gives {"input_ids", "sequences": [{"ids", "score", "text"}]}, best ' +
        'first. A language model continues its input, and "ids" begin with it. --return-attention ' +
        'adds "attention", a list for each id with a weight for each of "input_ids", and the "alignment" of ids and the ' +
        '"word_alignment" of texts that follow from it; --return-logits "logits", a list of the vocabulary\'s for each new id; ' +
        '--assistant-model and --prompt-lookup-num-tokens "drafts": {"passes", "drafted", "accepted"}.',
    )
    .addHelpText(
      'after',
      `
Examples:
  $ echo '{"text": "Free software"}' | polybeam generate --model models/en-fr-software --num-beams 4
  $ polybeam generate --model DIR --num-beams 4 --num-return-sequences 4 --input in.jsonl --output out.jsonl
  $ polybeam generate --model nllb-200-distilled-600M --from fra_Latn --to deu_Latn --num-beams 4 --num-return-sequences 4 < in.jsonl
  $ polybeam generate --model DIR --do-sample --top-p 0.9 --seed 7 < in.jsonl`,
    );
  addFileFlags(command);
  command.option('--log-probabilities', 'add "log_probabilities", one for each new token, to every sequence');
  addLanguageFlags(command);
  addUnknownFlags(command);
  addModelFlags(command);
  addGenerationFlags(command);
  return command.action((flags: GenerateFlags) => redirected(flags, streams, (own) => generate(flags, own)));
}

async function generate(flags: GenerateFlags, streams: CommandStreams): Promise<void> {
  const options = generationFlags(flags);
  const replaceUnknowns = unknownReplacement(flags);
  const drawn = Number(options.prefixBiasBeta ?? 0) > 0;
  let prefixes = 0;
  await useModel(flags, streams, async (model, assistant) => {
    const given = await withFiles(options, flags, assistant);
    const { to, from } = flags;
    const wanted = { ...withDecoder(given, model), to, from, replaceUnknowns };
    await inPortions(readInputs(streams, inputSchema), flags, streams, async (portion, batching) => {
      prefixes += portion.filter((line) => line?.prefix !== undefined).length;
      const inputs = portion.map((line) => (line === undefined ? { inputIds: [] } : modelInput(line, drawn)));
      const run = () => model.generate(inputs, wanted, batching);
      const outputs = await withFlagNames(generationOptionsSchema, run);
      return outputs.map((output, at) =>
        portion[at] === undefined ? '' : outputLine(output, flags.logProbabilities),
      );
    });
  });
  // Known only at the end: lines are read in portions, and the first prefix may be in the last.
  if (drawn && prefixes === 0) warn(streams, '--prefix-bias-beta had no effect: no line has a "prefix".');
}

/** @param drawn whether outputs are drawn to prefixes; a line without one then has an empty one, which draws to nothing */
function modelInput(line: z.output<typeof inputSchema>, drawn: boolean): ModelInput {
  const { force_words_ids: forceWordsIds, prefix = drawn ? [] : undefined } = line;
  const own = { ...(forceWordsIds && { forceWordsIds }), prefix };
  if ('text' in line) return { text: line.text, ...own };
  return {
    ...own,
    inputIds: line.input_ids,
    attentionMask: line.attention_mask,
    decoderInputIds: line.decoder_input_ids,
  };
}

/** Attention and logits have six decimals. */
function shortWeight(weight: number): number {
  return Number(weight.toFixed(6));
}

function outputLine({ inputIds, sequences }: ModelOutput, withTokens?: boolean): string {
  const shown = sequences.map(
    ({ tokenLogProbabilities, unmetConstraints, attention, alignment, words, logits, ...one }) => ({
      ...one,
      ...(withTokens && { log_probabilities: tokenLogProbabilities }),
      ...(unmetConstraints && { unmet_constraints: unmetConstraints }),
      ...(logits && { logits: logits.map((row) => Array.from(row, shortWeight)) }),
      ...(attention && { attention: attention.map((row) => Array.from(row, shortWeight)) }),
      ...(alignment && { alignment: pharaoh(alignment) }),
      ...(words && { word_alignment: pharaoh(words.alignment) }),
    }),
  );
  return JSON.stringify({ input_ids: inputIds, sequences: shown });
}
