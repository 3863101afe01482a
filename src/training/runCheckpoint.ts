import { z } from 'zod';
import { PolybeamError } from '../errors.js';
import { fileAccess } from '../files.js';
import { parseJson } from '../shallowJson.js';
import { digest } from './random.js';
import { requireAlone } from './runLock.js';
import { readTensors, writeTensors } from './tensorFiles.js';
import type { TrainTensor } from './trainStep.js';

/*
 * A run directory:
 *   latest.json                            names the checkpoint to resume from; the only file that decides anything
 *   checkpoints/update-00001000/           a checkpoint; counts only where latest.json names it
 *     model.safetensors                    weights, by the names the model loads them by
 *     optimizer.safetensors                Adam's moments; of the last checkpoint only
 *     config.json, tokenizer.json, ...     whatever makes the directory a model directory
 *   log.jsonl
 *   lock.json                            the process that works there, while it does
 * A checkpoint's files are written first and latest.json last, each atomically: killed anywhere in between, the run
 * still has the checkpoint before.
 */

/** What decides the weights an update gives, as plain data; a run resumes only where it is the same. */
export type RunIdentity = Record<string, unknown>;

/** A 64-bit hash of an identity, independent of the order of keys. */
export function identityHash(identity: RunIdentity): string {
  const sorted = (_: string, value: unknown) =>
    value && typeof value === 'object' && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value;
  return digest(JSON.stringify(identity, sorted));
}

/** Where a run is, beyond its tensors: everything that must survive a kill. */
export interface RunState {
  /** Updates done. */
  update: number;
  /** Epoch of the next batch, counted from 0. */
  epoch: number;
  /** Next batch within the epoch. */
  batchIndex: number;
  /** Seconds of training so far, interruptions left out. */
  seconds: number;
  /** Update after which validation was last done; 0 before the first. */
  lastValidation: number;
  /** Best validation so far. */
  best?: { update: number; score: number };
  /** Validations since the best. */
  badValidations: number;
}

/** What `latest.json` holds. */
export interface RunPointer {
  format: 1;
  configHash: string;
  identity: RunIdentity;
  state: RunState;
  /** Checkpoints on disk by update, oldest first; the last is the one to resume from. */
  kept: { update: number; regular: boolean }[];
}

const pointerSchema = z.object({
  format: z.literal(1),
  configHash: z.string(),
  identity: z.record(z.string(), z.unknown()),
  state: z.object({
    update: z.int(),
    epoch: z.int(),
    batchIndex: z.int(),
    seconds: z.number(),
    lastValidation: z.int(),
    best: z.object({ update: z.int(), score: z.number() }).optional(),
    badValidations: z.int(),
  }),
  kept: z.array(z.object({ update: z.int(), regular: z.boolean() })).min(1),
});

/** A run directory and what its checkpoints must agree with. */
export interface Run {
  /** Run directory, such as `runs/en-fr`. */
  directory: string;
  identity: RunIdentity;
}

/** How a checkpoint is saved. */
export interface SaveOptions {
  /** `weights/<name>` and optimizer tensors, as `TrainStep.tensors` gives them. */
  tensors: Map<string, TrainTensor>;
  /** The pointer before this save; undefined for the first. */
  previous?: RunPointer;
  /** Regular checkpoints kept. */
  keep: number;
  /**
   * Whether this checkpoint is due by its update number, not by the clock or an interruption. Only regular ones are
   * averaged, so that the average does not depend on when a run was interrupted.
   */
  regular: boolean;
  /** Files that make a checkpoint a model directory (config.json, tokenizer files), by name. */
  modelFiles?: Record<string, string | Uint8Array>;
}

/** Directory of the checkpoint of an update. */
export function checkpointPath(directory: string, update: number): string {
  return `${directory}/checkpoints/${checkpointName(update)}`;
}

function checkpointName(update: number): string {
  return `update-${String(update).padStart(8, '0')}`;
}

/**
 * What `latest.json` says, or undefined where no run has begun in the directory.
 * Throws CHECKPOINT_MISMATCH where the run was begun with another configuration or other data, and FILE_CORRUPT.
 */
export async function openRun({ directory, identity }: Run): Promise<RunPointer | undefined> {
  const path = `${directory}/latest.json`;
  if ((await fileAccess().size(path)) === undefined) {
    return undefined;
  }
  const pointer = parsePointer(await fileAccess().read(path), path);
  if (pointer.configHash !== identityHash(identity)) {
    throw mismatch(directory, pointer.identity, identity);
  }
  return pointer;
}

function parsePointer(bytes: Uint8Array, path: string): RunPointer {
  try {
    return pointerSchema.parse(parseJson(new TextDecoder().decode(bytes)));
  } catch (cause) {
    throw new PolybeamError(
      'FILE_CORRUPT',
      `${path} is not the pointer file of a run: choose another output directory, or remove this one.`,
      { cause },
    );
  }
}

function mismatch(directory: string, before: RunIdentity, now: RunIdentity): PolybeamError {
  const [path, was, is] = firstDifference(before, now) ?? ['the configuration', 'other', 'changed'];
  const what =
    path === 'data.fingerprint'
      ? `${directory} was begun with other training data or another vocabulary: restore them`
      : `${directory} was begun with ${path} ${JSON.stringify(was)}, but the configuration now has ` +
        `${JSON.stringify(is)}: restore the value`;
  return new PolybeamError('CHECKPOINT_MISMATCH', `${what}, or choose another output directory.`);
}

/** The first value, by its path, that differs between two objects of plain data: what it was and is. */
export function firstDifference(
  before: unknown,
  now: unknown,
  path = '',
): [string, unknown, unknown] | undefined {
  const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;
  if (!isObject(before) || !isObject(now)) {
    return before === now ? undefined : [path, before, now];
  }
  for (const key of new Set([...Object.keys(before), ...Object.keys(now)])) {
    const inner = path ? `${path}.${key}` : key;
    const found = firstDifference(before[key as never], now[key as never], inner);
    if (found) {
      return found;
    }
  }
  return undefined;
}

/**
 * Saves a checkpoint and removes those no longer kept: all but the last `keep` regular ones, the best and this one.
 * Where the state's update is that of the previous checkpoint, only the pointer is written.
 * Throws TRAINING_DIVERGED where a weight is not finite, FILE_WRITE where the disk is full, RUN_IN_USE where another process
 * took the directory over; the checkpoint before is then untouched.
 */
export async function saveCheckpoint(run: Run, state: RunState, options: SaveOptions): Promise<RunPointer> {
  const { previous, regular, keep } = options;
  const isNew = previous?.state.update !== state.update;
  const all = isNew ? [...(previous?.kept ?? []), { update: state.update, regular }] : previous.kept;
  const regulars = all.filter((entry) => entry.regular).slice(-keep);
  const stays = (entry: { update: number; regular: boolean }) =>
    entry.update === state.update || entry.update === state.best?.update || regulars.includes(entry);
  const pointer: RunPointer = {
    format: 1,
    configHash: identityHash(run.identity),
    identity: run.identity,
    state: { ...state },
    kept: all.filter(stays),
  };
  if (isNew) {
    refuseNonFinite(options.tensors, state.update);
  }
  await requireAlone(run.directory);
  try {
    if (isNew) {
      await writeCheckpoint(run, state.update, options);
    }
    const json = `${JSON.stringify(pointer, undefined, 1)}\n`;
    await fileAccess().writeAtomic(`${run.directory}/latest.json`, [new TextEncoder().encode(json)]);
  } catch (error) {
    throw await saveFailure(run, state, previous, error);
  }
  await removeOthers(run, pointer);
  return pointer;
}

function refuseNonFinite(tensors: Map<string, TrainTensor>, update: number): void {
  for (const [name, { data }] of tensors) {
    // A sum is finite only if all its terms are, and is much faster than asking each.
    let sum = 0;
    for (let at = 0; at < data.length; at++) {
      sum += data[at];
    }
    if (!Number.isFinite(sum)) {
      throw new PolybeamError(
        'TRAINING_DIVERGED',
        `${name} became NaN or infinite by update ${update}: lower schedule.learningRate or raise ` +
          'schedule.warmupUpdates, in a new output directory.',
      );
    }
  }
}

async function writeCheckpoint(run: Run, update: number, options: SaveOptions): Promise<void> {
  const directory = checkpointPath(run.directory, update);
  // A run killed while writing this very checkpoint may have left parts and temporary files of it.
  await fileAccess().remove(directory);
  const weights = new Map<string, TrainTensor>();
  const optimizer = new Map<string, TrainTensor>();
  for (const [name, tensor] of options.tensors) {
    if (name.startsWith(weightPrefix)) {
      weights.set(name.slice(weightPrefix.length), tensor);
    } else {
      optimizer.set(name, tensor);
    }
  }
  await writeTensors(`${directory}/model.safetensors`, weights);
  await writeTensors(`${directory}/optimizer.safetensors`, optimizer);
  for (const [name, content] of Object.entries(options.modelFiles ?? {})) {
    const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
    await fileAccess().writeAtomic(`${directory}/${name}`, [bytes]);
  }
}

const weightPrefix = 'weights/';

async function saveFailure(
  run: Run,
  state: RunState,
  previous: RunPointer | undefined,
  error: unknown,
): Promise<unknown> {
  if (!(error instanceof PolybeamError) || error.code !== 'FILE_WRITE') {
    return error;
  }
  if (previous?.state.update !== state.update) {
    // Half a checkpoint on a full disk helps no one.
    await fileAccess()
      .remove(checkpointPath(run.directory, state.update))
      .catch(() => {});
  }
  const intact = previous
    ? `the checkpoint of update ${previous.state.update} is intact: free some space and run the same command to resume`
    : 'there was none before: free some space and start again';
  return new PolybeamError(
    'FILE_WRITE',
    `The checkpoint of update ${state.update} could not be saved in ${run.directory} ` +
      `(${error.message.replace(/\.$/, '')}); ${intact}.`,
    { cause: error },
  );
}

/** Removes checkpoints the pointer does not name, and optimizer state no run will resume from. */
async function removeOthers({ directory }: Run, pointer: RunPointer): Promise<void> {
  const kept = new Set(pointer.kept.map((entry) => checkpointName(entry.update)));
  for (const name of await fileAccess().list(`${directory}/checkpoints`)) {
    const path = `${directory}/checkpoints/${name}`;
    if (!kept.has(name)) {
      await fileAccess().remove(path);
    } else if (name !== checkpointName(pointer.state.update)) {
      await fileAccess().remove(`${path}/optimizer.safetensors`);
    }
  }
}

/**
 * The tensors to resume from, named as `TrainStep.restore` wants them.
 * Throws FILE_NOT_FOUND and FILE_CORRUPT.
 */
export async function loadCheckpoint(
  { directory }: Pick<Run, 'directory'>,
  pointer: RunPointer,
): Promise<Map<string, TrainTensor>> {
  const path = checkpointPath(directory, pointer.state.update);
  const tensors = await readTensors(`${path}/optimizer.safetensors`);
  for (const [name, tensor] of await readTensors(`${path}/model.safetensors`)) {
    tensors.set(weightPrefix + name, tensor);
  }
  return tensors;
}
