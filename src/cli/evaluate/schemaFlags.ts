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
  return describeOptions(schema).map(
    ([name, { type, items, enum: values, description = '', default: preset }]) => {
      if (type === 'boolean') return switchOption(kebab(name), lead(description));
      const words =
        typeof items === 'object' && 'type' in items && items.type === 'string' ? 'names' : 'n,...';
      const kind = type === 'array' ? words : type === 'string' ? (values ? values.join('|') : 'name') : 'n';
      const shown = preset === undefined ? '' : ` (default: ${describeValue(preset)})`;
      return new Option(`${kebab(name)} <${kind}>`, lead(description) + shown);
    },
  );
}

function switchOption(flag: string, description: string): Option {
  const option = new Option(flag, description);
  // commander takes --no-punct for the opposite of --punct.
  option.negate = false;
  return option;
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

/** The flag `--reference`, which may be repeated and must be given (`requireFlag`). */
export function referenceFlag(): Option {
  return new Option(
    '--reference <file>',
    'file with the reference of each line; repeat it for several references',
  ).argParser((file: string, files: string[] | undefined) => [...(files ?? []), file]);
}
