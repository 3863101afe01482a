import { parseDocument } from 'yaml';
import type { z } from 'zod';
import { PolybeamError } from '../errors.js';
import { isDeeper } from '../shallowJson.js';
import type { TrainConfig } from './config.js';
import { describeIssue } from './configProblems.js';
import { hasEnd } from './schedule.js';

/**
 * The value of a YAML (or JSON) text.
 * @param name how messages call it: its file
 * @throws CONFIG_INVALID naming the place of a syntax error
 */
export function readYaml(text: string, name: string): unknown {
  const document = documentOf(text, name);
  const problem = document.errors[0];
  if (!problem) return contentOf(document, name);
  const [line, column] = [problem.linePos?.[0].line, problem.linePos?.[0].col];
  throw new PolybeamError(
    'CONFIG_INVALID',
    `${name} is not YAML at line ${line}, column ${column}: ${problem.message.split('\n')[0].replace(/ at line.*$/, '')}.`,
    { cause: problem },
  );
}

function documentOf(text: string, name: string): ReturnType<typeof parseDocument> {
  try {
    return parseDocument(text);
  } catch (cause) {
    // The parser goes down with each level.
    throw new PolybeamError(
      'CONFIG_INVALID',
      `${name} is not YAML that can be read: it is nested too deep.`,
      { cause },
    );
  }
}

/** What a document holds. An alias may repeat a value, but neither hold itself nor repeat without end. */
function contentOf(document: ReturnType<typeof parseDocument>, name: string): unknown {
  try {
    const value: unknown = document.toJS();
    if (!isDeeper(value, 100)) return value;
    throw new RangeError('a value holds itself or is nested too deep');
  } catch (cause) {
    throw new PolybeamError(
      'CONFIG_INVALID',
      `${name} has aliases (*) that have no anchor (&), hold themselves or repeat too much, or it is nested more than 100 levels deep; write out what aliases stand for.`,
      { cause },
    );
  }
}

/**
 * Checks a value against a schema and fills in defaults.
 * @throws CONFIG_INVALID naming the path, the value and the remedy, and the nearest name where a key is unknown
 */
export function readSchema<S extends z.ZodType>(schema: S, value: unknown, name: string): z.output<S> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [first, ...others] = result.error.issues;
  const more = others.length ? ` (and ${others.length} more)` : '';
  throw new PolybeamError('CONFIG_INVALID', `${name}: ${describeIssue(first, schema, value)}${more}.`, {
    cause: result.error,
  });
}

/** Throws CONFIG_INVALID for the first problem that is one. */
export function refuseProblems(problems: readonly (string | undefined)[], name: string): void {
  const problem = problems.find((text) => text !== undefined);
  if (problem) throw new PolybeamError('CONFIG_INVALID', `${name}: ${problem}.`);
}

/** What the sections that all runs share can have wrong together: each entry is a problem or undefined. */
export function runProblems(
  config: Pick<TrainConfig, 'budget' | 'schedule' | 'checkpoints' | 'earlyStopping'> & {
    data: { validation?: unknown };
  },
): (string | undefined)[] {
  const { budget, checkpoints, data, earlyStopping, schedule } = config;
  const endless = Object.values(budget).every((limit) => limit === undefined) && !earlyStopping.patience;
  const decays = hasEnd(schedule.type);
  return [
    endless
      ? 'training would never end: set budget.maxUpdates, budget.maxEpochs, budget.maxMinutes or ' +
        'earlyStopping.patience'
      : undefined,
    earlyStopping.patience && !data.validation
      ? `earlyStopping.patience is ${earlyStopping.patience} but there is nothing to validate on: give data.validation`
      : undefined,
    decays && schedule.totalUpdates === undefined
      ? `schedule.type ${schedule.type} must know its end: set schedule.totalUpdates or budget.maxUpdates`
      : undefined,
    decays && schedule.totalUpdates !== undefined && schedule.totalUpdates <= schedule.warmupUpdates
      ? `schedule.warmupUpdates (${schedule.warmupUpdates}) is not below the ${schedule.totalUpdates} updates of the ` +
        'schedule: lower it'
      : undefined,
    schedule.ratio !== undefined && schedule.type !== 'slantedTriangular'
      ? `schedule.ratio (${schedule.ratio}) is only read by type slantedTriangular, not ${schedule.type}: leave it out`
      : undefined,
    checkpoints.averageLast > checkpoints.keep
      ? `checkpoints.averageLast (${checkpoints.averageLast}) is more than checkpoints.keep (${checkpoints.keep}): ` +
        'keep as many as are averaged'
      : undefined,
  ];
}
