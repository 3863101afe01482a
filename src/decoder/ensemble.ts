import * as tf from '@tensorflow/tfjs-core';
import { compile } from '../engine/compile.js';
import type { Dimension } from '../engine/graph.js';
import { logSoftmax } from '../engine/ops/logSoftmax.js';
import { logSumExp } from '../engine/ops/logSumExp.js';
import type { CompileOptions, Program, Signature, Tensors } from '../engine/program.js';
import { createPrograms } from '../engine/programs.js';
import { floats } from '../engine/values.js';
import { PolybeamError } from '../errors.js';
import {
  type Candidates,
  type DecodingState,
  type EveryCandidateField,
  everyLogit,
  type SelectionSpec,
  type StartFeed,
  type StepEdits,
  type StepModel,
} from '../generation/stepModel.js';
import { requireList, requireObjects, requireOptionNames, wrongInput } from '../inputs.js';
import { editFeeds, selectCandidates, selectionSignature } from './selection.js';

/** How the members of an ensemble are combined. */
export interface EnsembleOptions {
  /** Weight of each member, above 0; they are scaled to sum to 1. Default all equal. */
  weights?: readonly number[];
  /**
   * 'linear' (default): the weighted mean of probabilities, as in fairseq. 'logLinear': of log-probabilities, scaled to
   * sum to one; a token that one member excludes is excluded.
   */
  combine?: 'linear' | 'logLinear';
}

interface EnsembleState extends DecodingState {
  states: DecodingState[];
  spec: SelectionSpec;
  /** Whether the members compute part of the vocabulary. */
  restricted: boolean;
}

/**
 * Several models of one vocabulary as one: the search gets their combined distribution.
 * @throws OPTION_INVALID where there is no member, vocabularies differ in size, or weights do not fit
 */
export function createEnsemble(
  members: readonly StepModel[],
  options: EnsembleOptions = {},
  compileOptions: Pick<CompileOptions, 'device' | 'threads'> = {},
): StepModel & { release(): Promise<void> } {
  requireObjects(members, 'members', 'step models');
  requireOptionNames(options, ['weights', 'combine'], 'An ensemble');
  const weights = checkMembers(members, options);
  const programs = createPrograms();
  const programFor = (spec: SelectionSpec, restricted: boolean) => {
    const size = restricted ? 'vocabulary' : members[0].vocabSize;
    return programs.get(JSON.stringify([spec, restricted]), () =>
      compileChoice(size, weights, options.combine, spec, compileOptions),
    );
  };
  const choose = async (
    { spec, restricted }: Pick<EnsembleState, 'spec' | 'restricted'>,
    found: readonly Candidates[],
    edits: StepEdits,
  ): Promise<EveryCandidateField> => ({
    ...(await runChoice(await programFor(spec, restricted), spec, found, edits)),
    ...combineAttention(found, weights),
    // Hidden states of several models cannot be combined.
    hidden: undefined,
  });
  return {
    vocabSize: members[0].vocabSize,
    maxPositions: Math.min(...members.map((member) => member.maxPositions)),
    maxSource: Math.min(...members.map((member) => member.maxSource ?? 0)),
    attention: sharedAttention(members),
    takesVocabulary: members.every((member) => member.takesVocabulary),
    start: async (feed) => {
      const bare: StartFeed = { ...withoutEdits(feed), selection: bareSelection(feed.selection) };
      const choice = { spec: feed.selection, restricted: feed.vocabulary !== undefined };
      const states: DecodingState[] = [];
      try {
        const found = await inTurn(members, async (member, index) => {
          const { state, candidates } = await member.start(bare);
          states[index] = state;
          return candidates;
        });
        const candidates = await choose(choice, found, feed);
        const { batch, beams } = states[0];
        const state: EnsembleState = { batch, beams, ...choice, states };
        return { state, candidates };
      } catch (error) {
        disposeAll(members, states);
        throw error;
      }
    },
    step: async (state, feed) => {
      const { states, spec, restricted } = state as EnsembleState;
      const bare = withoutEdits(feed);
      const found = await inTurn(members, (member, index) => member.step(states[index], bare));
      return choose({ spec, restricted }, found, feed);
    },
    keep: async (state, sentences, source) => {
      const { states, spec, restricted } = state as EnsembleState;
      const kept = await inTurn(members, (member, index) => member.keep(states[index], sentences, source));
      const { batch, beams } = kept[0];
      const next: EnsembleState = { batch, beams, spec, restricted, states: kept };
      return next;
    },
    ...(members.every((member) => member.adopt) && {
      adopt: async (into: DecodingState, from: DecodingState, places: readonly number[]) => {
        const { states, spec, restricted } = into as EnsembleState;
        const given = (from as EnsembleState).states;
        const taken = await inTurn(members, (member, index) =>
          member.adopt!(states[index], given[index], places),
        );
        const { batch, beams } = taken[0];
        const next: EnsembleState = { batch, beams, spec, restricted, states: taken };
        return next;
      },
    }),
    dispose: (state) => {
      disposeAll(members, (state as EnsembleState).states);
    },
    release: programs.release,
  };
}

function disposeAll(members: readonly StepModel[], states: readonly DecodingState[]): void {
  states.forEach((state, index) => {
    members[index].dispose(state);
  });
}

function checkMembers(members: readonly StepModel[], { weights, combine }: EnsembleOptions): number[] {
  const refuse = (message: string): never => {
    throw new PolybeamError('OPTION_INVALID', message);
  };
  if (members.length === 0) refuse('An ensemble has no members; give at least one model.');
  const sizes = members.map((member) => member.vocabSize);
  const stranger = members.findIndex((member) => typeof member.step !== 'function');
  if (stranger >= 0) throw wrongInput(`members[${stranger}]`, members[stranger], 'give a step model');
  if (new Set(sizes).size > 1) {
    throw new PolybeamError(
      'ENSEMBLE_MISMATCH',
      `The members of an ensemble know ${sizes.join(', ')} tokens; take models of one vocabulary.`,
    );
  }
  if (combine !== undefined && combine !== 'linear' && combine !== 'logLinear') {
    refuse(`Option combine cannot be "${String(combine)}": use linear or logLinear.`);
  }
  const given = weights ?? members.map(() => 1);
  requireList(given, 'Option weights', 'numbers');
  if (given.length !== members.length || !given.every((weight) => weight > 0 && weight < Infinity)) {
    refuse(`Option weights cannot be [${given.join(', ')}]: give ${members.length} numbers above 0.`);
  }
  const total = given.reduce((sum, weight) => sum + weight, 0);
  return given.map((weight) => weight / total);
}

/** Edits and selection are applied to the combination. */
function bareSelection({ attention, ownPositions }: SelectionSpec): SelectionSpec {
  return { ...everyLogit, ...(attention && { attention }), ...(ownPositions && { ownPositions }) };
}

/** Layers and heads that every member has. */
function sharedAttention(members: readonly StepModel[]): StepModel['attention'] {
  const own = members.flatMap(({ attention }) => attention ?? []);
  if (own.length < members.length) return undefined;
  return {
    layers: Math.min(...own.map(({ layers }) => layers)),
    heads: Math.min(...own.map(({ heads }) => heads)),
  };
}

/** The weighted mean of the members' attention, if requested. */
function combineAttention(
  found: readonly Candidates[],
  weights: readonly number[],
): Pick<EveryCandidateField, 'attention' | 'promptAttention'> {
  const mean = (name: 'attention' | 'promptAttention') => {
    const all = found.map((one) => one[name]);
    return all[0]?.map((_, at) => all.reduce((sum, one, index) => sum + weights[index] * one![at], 0));
  };
  return { attention: mean('attention'), promptAttention: mean('promptAttention') };
}

/** One after the other: each takes all threads. */
async function inTurn<T>(
  members: readonly StepModel[],
  use: (member: StepModel, index: number) => Promise<T>,
): Promise<T[]> {
  const results: T[] = [];
  for (const [index, member] of members.entries()) results.push(await use(member, index));
  return results;
}

function withoutEdits<Feed extends StepEdits>(feed: Feed): Feed {
  return {
    ...feed,
    cells: undefined,
    values: undefined,
    penalized: undefined,
    penalizedWidth: undefined,
    rescaled: undefined,
    factors: undefined,
    allowed: undefined,
    allowedWidth: undefined,
    lookup: undefined,
    lookupWidth: undefined,
  };
}

/** @param size of the vocabulary, or its name where it may differ */
function compileChoice(
  size: Dimension,
  weights: readonly number[],
  combine: EnsembleOptions['combine'],
  spec: SelectionSpec,
  options: Pick<CompileOptions, 'device' | 'threads'>,
): Promise<Program> {
  const signature: Signature = selectionSignature(spec, 'rows');
  weights.forEach((_, index) => {
    signature[`member.${index}`] = { type: 'float32', shape: ['rows', size] };
  });
  const fn = (inputs: Tensors): Tensors => {
    const logs = weights.map((_, index) => logSoftmax(inputs[`member.${index}`]));
    return selectCandidates(combineLogs(logs, weights, combine ?? 'linear'), spec, inputs);
  };
  return compile(fn, signature, options);
}

/** Log-probabilities of the members to those of the ensemble, up to a constant a row. [rows, vocabSize] */
function combineLogs(
  logs: readonly tf.Tensor[],
  weights: readonly number[],
  combine: 'linear' | 'logLinear',
): tf.Tensor {
  if (combine === 'logLinear') return tf.addN(logs.map((log, index) => tf.mul(log, weights[index])));
  const weighted = logs.map((log, index) => tf.add(log, Math.log(weights[index])));
  return logSumExp(tf.stack(weighted, -1));
}

async function runChoice(
  program: Program,
  spec: SelectionSpec,
  found: readonly Candidates[],
  edits: StepEdits,
): Promise<Omit<EveryCandidateField, 'attention' | 'promptAttention' | 'hidden'>> {
  const { rows, width } = found[0];
  const feeds = editFeeds(spec, rows, edits);
  found.forEach(({ logits }, index) => {
    feeds[`member.${index}`] = floats([rows, width], logits);
  });
  const outputs = await program.run(feeds);
  return {
    rows,
    width: spec.candidates === 0 ? width : spec.candidates,
    ids: outputs.ids?.data as Int32Array | undefined,
    logits: outputs.logits.data as Float32Array,
    ownLogits: outputs.ownLogits?.data as Float32Array | undefined,
    lookedUp: outputs.lookedUp?.data as Float32Array | undefined,
    logSumExp: outputs.logSumExp.data as Float32Array,
    rawLogits: outputs.rawLogits?.data as Float32Array | undefined,
  };
}
