import { Option } from 'commander';
import { z } from 'zod';
import { readOptions } from '../../../eval/options.js';
import { PolybeamError } from '../../errors.js';

/** What help and parsing need of each option of a schema. */
function describeOptions(schema: z.ZodObject): [string, z.core.JSONSchema.Schema][] {
  const { properties = {} } = z.toJSONSchema(schema, { io: 'input' });
  return Object.entries(properties) as [string, z.core.JSONSchema.Schema][];
}

/** Flags of a schema's options, in kebab case; help and defaults come from the schema. */
export function schemaFlags(schema: z.ZodObject): Option[] {
  return describeOptions(schema).map(([name, { type, enum: values, description = '', default: preset }]) => {
    if (type === 'boolean') return new Option(kebab(name), lead(description));
    const kind = type === 'array' ? 'names' : type === 'string' ? (values ? values.join('|') : 'name') : 'n';
    const shown = preset === undefined ? '' : ` (default: ${describeValue(preset)})`;
    return new Option(`${kebab(name)} <${kind}>`, lead(description) + shown);
  });
}

function describeValue(value: unknown): string {
  if (Array.isArray(value)) return value.join(',');
  return value === '\n' ? 'a line feed' : String(value);
}

function kebab(name: string): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** A schema's description as commander's help words it: no capital, no period. */
function lead(description: string): string {
  return description[0].toLowerCase() + description.slice(1).replace(/\.$/, '');
}

/**
 * The options of a schema among a command's flags, checked, and without the defaults.
 *
 * @param what the command, for messages that spell the flags
 * @throws OPTION_INVALID
 */
export function readSchemaFlags(
  schema: z.ZodObject,
  flags: { [name: string]: unknown },
  what: string,
): { [name: string]: unknown } {
  const given: { [name: string]: unknown } = {};
  for (const [name, { type }] of describeOptions(schema)) {
    const value = flags[name];
    if (value === undefined) continue;
    if (type === 'array') {
      given[name] = String(value).split(',');
      continue;
    }
    // What is no number stays text, so that the message shows it as it was written.
    const numeric = (type === 'number' || type === 'integer') && /^[-+.\d]/.test(String(value));
    given[name] = numeric && !Number.isNaN(Number(value)) ? Number(value) : value;
  }
  readOptions(schema, given, what, kebab);
  return given;
}

/** The flags of confidence intervals, named as sacreBLEU names them. */
export function confidenceFlags(): Option[] {
  return [
    new Option('--confidence', 'add 95 % intervals by bootstrap resampling of the lines'),
    new Option('--confidence-n <n>', 'how many times the lines are drawn anew (default: 1000)'),
    new Option('--seed <n>', 'selects the random numbers (default: 12345)'),
  ];
}

/** What the flags of confidence intervals say; undefined where none were asked for. */
export function readConfidence(flags: {
  [name: string]: unknown;
}): { samples?: number; seed?: number } | undefined {
  for (const [name, flag] of [
    ['confidenceN', '--confidence-n'],
    ['seed', '--seed'],
  ]) {
    if (flags[name] !== undefined && !flags.confidence) {
      throw new PolybeamError('OPTION_CONFLICT', `${flag} has no meaning without --confidence: add it.`);
    }
  }
  if (!flags.confidence) return undefined;
  return {
    ...readCount('--confidence-n', flags.confidenceN, 'samples', 2, 10_000_000),
    ...readCount('--seed', flags.seed, 'seed', 0, 2 ** 32 - 1),
  };
}

/** A whole number from a flag's text under a name of its own, or nothing where the flag was not given. */
function readCount<K extends string>(
  flag: string,
  text: unknown,
  name: K,
  least: number,
  most: number,
): { [name in K]?: number } {
  if (text === undefined) return {};
  const value = /^\d+$/.test(String(text)) ? Number(text) : Number.NaN;
  if (!(value >= least && value <= most)) {
    throw new PolybeamError(
      'OPTION_INVALID',
      `${flag} cannot be "${text}": give a whole number, ${least} to ${most}.`,
    );
  }
  return { [name]: value } as { [name in K]?: number };
}

/** Decimals from a flag's text; throws OPTION_INVALID. */
export function readWidth(text: string): number {
  if (/^\d{1,3}$/.test(text) && Number(text) <= 100) return Number(text);
  throw new PolybeamError(
    'OPTION_INVALID',
    `--width cannot be "${text}": give a whole number of decimals, 0 to 100.`,
  );
}

/** Refuses two flags together; throws OPTION_CONFLICT. */
export function exclude(
  ...[a, nameA, b, nameB]: [a: unknown, nameA: string, b: unknown, nameB: string]
): void {
  if (a && b) {
    throw new PolybeamError('OPTION_CONFLICT', `${nameA} and ${nameB} exclude each other: leave one out.`);
  }
}

/** The flag `--reference`, which may be repeated. */
export function referenceFlag(): Option {
  return new Option(
    '--reference <file>',
    'file with the reference of each line; repeat it for several references',
  )
    .argParser((file: string, files: string[] | undefined) => [...(files ?? []), file])
    .makeOptionMandatory();
}
