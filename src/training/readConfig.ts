import { parseDocument } from 'yaml';
import type { z } from 'zod';
import { PolybeamError } from '../errors.js';
import { requireText } from '../inputs.js';
import { isDeeper } from '../shallowJson.js';
import type { TrainConfig } from './config.js';
import { describeIssues } from './configProblems.js';
import { hasEnd } from './schedule.js';

/**
 * The value of a YAML (or JSON) text.
 * @param name how messages call it: its file
 * @throws CONFIG_INVALID naming the place of a syntax error
 */
export function readYaml(text: string, name: string): unknown {
  requireText(text, 'text');
  const document = documentOf(text, name);
  const [first, ...others] = document.errors.map(({ linePos, message }) => {
    const [start] = linePos ?? [];
    return `at line ${start?.line}, column ${start?.col}: ${message.split('\n')[0].replace(/ at line.*$/, '')}`;
  });
  if (first === undefined) return contentOf(document, name);
  const [cause] = document.errors;
  if (others.length === 0) {
    throw new PolybeamError('CONFIG_INVALID', `${name} is not YAML ${first}.`, { cause });
  }
  throw new PolybeamError('CONFIG_INVALID', `${name} is not YAML:${listed([first, ...others])}`, { cause });
}

/** Takes what is wrong with a configuration, as half a sentence without its file; undefined is nothing. */
export type Report = (problem: string | undefined) => void;

/**
 * Checks a configuration and refuses it with everything that was reported, so that all of it can be mended at once.
 * @param name how messages call the configuration: its file
 * @param check gives undefined only where it has reported a problem
 * @throws CONFIG_INVALID
 */
export function checkAll<T>(name: string, check: (report: Report) => T | undefined): T {
  const problems: (string | undefined)[] = [];
  const value = check((problem) => problems.push(problem));
  refuseProblems(problems, name);
  return value as T;
}

/** Reports the problems of a section under its name. */
export function within(section: string, report: Report): Report {
  return (problem) => report(problem && `${section}: ${problem}`);
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
 * @param report takes each problem: the path, the value and the remedy, and the nearest name where a key is unknown
 * @returns undefined where there were problems
 */
export function readSchema<S extends z.ZodType>(
  schema: S,
  value: unknown,
  report: Report,
): z.output<S> | undefined {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  for (const issue of result.error.issues) describeIssues(issue, schema, value).forEach(report);
  return undefined;
}

/** Throws CONFIG_INVALID with all the problems that there are: one as a sentence, several as a list. */
export function refuseProblems(problems: readonly (string | undefined)[], name: string): void {
  const found = [...new Set(problems.filter((text) => text !== undefined))];
  if (found.length === 0) return;
  const text =
    found.length === 1 ? `${name}: ${found[0]}.` : `${name} has ${found.length} problems:${listed(found)}`;
  throw new PolybeamError('CONFIG_INVALID', text);
}

function listed(problems: readonly string[]): string {
  return `${problems.map((problem) => `\n- ${problem}`).join(';')}.`;
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
    !endless && decays && schedule.totalUpdates === undefined
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
