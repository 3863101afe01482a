import { Command } from 'commander';
import { PolybeamError } from '../errors.js';
import { generationOptionsSchema } from '../generation/options.js';
import { inputName } from '../inputs.js';
import { packageRoot } from '../node/packageRoot.js';
import type { ModelScore, ScoreInput } from '../pretrained/score.js';
import { type AlignmentForm, addAlignmentsFlag, formatAlignment } from './alignments.js';
import { addSchemaFlags, schemaValues, withFlagNames } from './flags.js';
import { addLanguageFlags, type LanguageFlags } from './languages.js';
import { readLines } from './lines.js';
import { inPortions } from './portions.js';
import { addFileFlags, type FileFlags, redirected } from './redirect.js';
import type { CommandStreams } from './streams.js';
import { embeddedModel } from './translate.js';
import { addModelFlags, type ModelFlags, useModel } from './useModel.js';

type ScoreFlags = ModelFlags &
  FileFlags &
  LanguageFlags & {
    lengthPenalty?: number;
    json?: boolean;
    alignments?: AlignmentForm;
  };

const scoringOptions = generationOptionsSchema.pick({
  gnmtLengthPenalty: true,
  wordReward: true,
  alignmentLayer: true,
  alignmentHeads: true,
});

/** `polybeam score`: how probable a model finds given translations. */
export function scoreCommand(streams: CommandStreams = process): Command {
  const command = new Command('score')
    .description(
      'Score given outputs. Each line of standard input is a source, a tab and a target; each gives the log-probability ' +
        `of the target over length^lengthPenalty, in nats; empty lines stay empty. Without --model, ${embeddedModel}.`,
    )
    .option(
      '--length-penalty <number>',
      'exponent of the length in tokens; 0 gives the log-probability itself (default: that of the model, else 1)',
      readNumber,
    )
    .option(
      '--json',
      'print {"score", "ids", "log_probabilities"} for each line, with "alignment" if requested',
    )
    .addHelpText(
      'after',
      `
Examples:
  $ printf 'a free game\\tun jeu libre\\n' | polybeam score --to fr
  $ paste source.en translation.de | polybeam score --model opus-mt-en-de --json`,
    );
  addFileFlags(command);
  addLanguageFlags(command);
  addAlignmentsFlag(command, 'each score');
  addSchemaFlags(command, scoringOptions);
  addModelFlags(command, ['maxBatchTokens']);
  return command.action((flags: ScoreFlags) => redirected(flags, streams, (own) => score(flags, own)));
}

function readNumber(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && Number.isFinite(value)) return value;
  throw new PolybeamError(
    'OPTION_INVALID',
    `--length-penalty cannot be "${text}": give a number, such as 1.`,
  );
}

async function score(flags: ScoreFlags, streams: CommandStreams): Promise<void> {
  const { to, from, lengthPenalty, json, alignments } = flags;
  const scoring = { ...schemaValues(scoringOptions, flags), returnAttention: alignments !== undefined };
  await useModel(
    flags,
    streams,
    (model) =>
      inPortions(readPairs(streams), flags, streams, async (portion, { batchSize, firstIndex }) => {
        const pairs = portion.map((pair) => pair ?? blank);
        const options = { to, from, lengthPenalty, batchSize, firstIndex, ...scoring };
        const scores = await withFlagNames(scoringOptions, () => model.score(pairs, options));
        return portion.map((pair, at) =>
          pair === undefined ? '' : outputLine(scores[at], json, alignments),
        );
      }),
    `${packageRoot()}/${embeddedModel}`,
  );
}

/** What stands for a blank line, so that inputs are numbered as lines are. */
const blank: ScoreInput = { source: { inputIds: [] }, target: [] };

/** A pair for each line, undefined for a blank one. */
async function* readPairs(streams: CommandStreams): AsyncGenerator<ScoreInput | undefined> {
  let index = 0;
  for await (const line of readLines(streams)) {
    const name = inputName(index++);
    const parts = line.split('\t');
    if (line.trim() === '') yield undefined;
    else if (parts.length === 2) yield { source: { text: parts[0] }, target: parts[1] };
    else {
      throw new PolybeamError(
        'INPUT_INVALID',
        `${name} has ${parts.length - 1} tabs; write a source, one tab and a target.`,
      );
    }
  }
}

/** Nine digits are all that a float32 holds. */
const short = (value: number) => Number(value.toPrecision(9));

function outputLine(
  { score: value, ids, tokenLogProbabilities, words }: ModelScore,
  json?: boolean,
  form?: AlignmentForm,
): string {
  const alignment = form && words && formatAlignment(words, form);
  if (!json) return alignment === undefined ? String(short(value)) : `${short(value)}\t${alignment}`;
  const log_probabilities = tokenLogProbabilities.map(short);
  return JSON.stringify({ score: short(value), ids, log_probabilities, alignment });
}
