import { type Command, Option } from 'commander';
import type { z } from 'zod';
import { PolybeamError } from '../errors.js';

/** What a flag takes. */
type FlagKind =
  | { type: 'switch' }
  | { type: 'library' }
  | { type: 'number' | 'integer' | 'text' | 'json' }
  | { type: 'choice'; values: readonly (string | number | boolean)[] };

/** The parts of a zod schema's definition that flags are made from. */
interface SchemaDefinition {
  type: string;
  innerType?: z.ZodType;
  in?: z.ZodType;
  options?: readonly z.ZodType[];
  values?: readonly (string | number | boolean)[];
  entries?: Record<string, string | number>;
  defaultValue?: unknown;
}

/** One option of a schema, as help pages show it. */
export interface FlagDescription {
  /** Name in the library, in camel case. */
  name: string;
  /** The flag with its value, such as `--num-beams <n>`; undefined for a function or object that only code can give. */
  flag?: string;
  description: string;
  /** As it would be written; undefined where the schema has no default of its own. */
  preset?: string;
}

/** `numBeams` as `--num-beams`. */
export function flagName(name: string): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** The flags of a schema, for help and for the reference pages. */
export function describeFlags(schema: z.ZodObject): FlagDescription[] {
  return Object.entries(schema.shape).map(([name, field]) => {
    const preset = defaultOf(field as z.ZodType);
    const kind = kindOf(field as z.ZodType);
    return {
      name,
      ...(kind.type === 'library' ? {} : { flag: flagName(name) + placeholder(kind) }),
      description: descriptionOf(field as z.ZodType),
      ...(preset === undefined
        ? {}
        : { preset: typeof preset === 'string' ? preset : JSON.stringify(preset) }),
    };
  });
}

/**
 * Gives a command one flag for each option of a schema: switches with a `--no-` form for booleans, numbers, one of a
 * list of words, texts, and JSON for lists and objects. Values are checked one by one while flags are read.
 *
 * @param skip options that the command takes in another way
 * @throws PolybeamError OPTION_INVALID, while the command line is read
 */
export function addSchemaFlags(command: Command, schema: z.ZodObject, skip: readonly string[] = []): Command {
  const fields = schema.shape as Record<string, z.ZodType>;
  for (const { name, flag, description, preset } of describeFlags(schema)) {
    if (flag === undefined || skip.includes(name)) continue;
    const kind = kindOf(fields[name]);
    const help = description + (preset === undefined ? '' : ` (default: ${preset})`);
    if (kind.type === 'switch') {
      const off = flagName(name).replace('--', '--no-');
      command.addOption(new Option(flag, preset === 'false' ? help : `${help} (off: ${off})`));
      command.addOption(new Option(off).hideHelp());
    } else {
      const option = new Option(flag, help);
      // commander takes --no-repeat-ngram-size for the opposite of --repeat-ngram-size.
      option.negate = false;
      command.addOption(option.argParser((text: string) => readValue(name, fields[name], kind, text)));
    }
  }
  return command;
}

/** The options of a schema that were given as flags; defaults are left to whoever validates the whole. */
export function schemaValues<Schema extends z.ZodObject>(
  schema: Schema,
  flags: Readonly<Record<string, unknown>>,
): Partial<z.input<Schema>> {
  const given = Object.keys(schema.shape).filter((name) => flags[name] !== undefined);
  return Object.fromEntries(given.map((name) => [name, flags[name]])) as Partial<z.input<Schema>>;
}

/**
 * Runs something that validates options, and spells their names as flags in what it refuses.
 *
 * @throws what `run` throws, with `--num-beams` for `numBeams` in the message
 */
export async function withFlagNames<T>(schema: z.ZodObject, run: () => T | Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof PolybeamError) || !error.code.startsWith('OPTION_')) throw error;
    const flagged = describeFlags(schema).filter(({ flag }) => flag !== undefined);
    const names = new RegExp(`(?<![\\w-])(${flagged.map(({ name }) => name).join('|')})(?![\\w-])`, 'g');
    throw new PolybeamError(error.code, error.message.replace(names, flagName), { cause: error });
  }
}

function readValue(name: string, field: z.ZodType, kind: FlagKind, text: string): unknown {
  const parsed = field.safeParse(readText(kind, text));
  if (parsed.success) return parsed.data;
  const refusal = `${flagName(name)} cannot be "${text}"`;
  if (kind.type === 'choice') {
    const words = kind.values.map(String);
    throw new PolybeamError(
      'OPTION_INVALID',
      `${refusal}: use ${words.slice(0, -1).join(', ')} or ${words.at(-1)}.`,
    );
  }
  const { message, code } = parsed.error.issues[0];
  const reason = kind.type === 'json' && code === 'invalid_type' ? 'JSON is wanted' : lowerFirst(message);
  throw new PolybeamError('OPTION_INVALID', `${refusal} (${reason}): ${descriptionOf(field)}`);
}

function lowerFirst(text: string): string {
  return text.slice(0, 1).toLowerCase() + text.slice(1);
}

/**
 * The value of a flag that must be given. Commander's own check would hide a misspelled flag, since it runs first.
 *
 * @throws PolybeamError OPTION_INVALID
 */
export function requireFlag<T>(value: T | undefined, flag: string): T {
  if (value !== undefined) return value;
  throw new PolybeamError('OPTION_INVALID', `${flag} is missing: give it a value.`);
}

/** The value that a text stands for; what stands for none stays text, which the schema then refuses. */
function readText(kind: FlagKind, text: string): unknown {
  switch (kind.type) {
    case 'number':
    case 'integer':
      return /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(text) ? Number(text) : text;
    case 'choice':
      return kind.values.find((value) => String(value) === text) ?? text;
    case 'json':
      try {
        return JSON.parse(text);
      } catch {
        return text;
      }
    default:
      return text;
  }
}

function placeholder(kind: FlagKind): string {
  switch (kind.type) {
    case 'switch':
    case 'library':
      return '';
    case 'choice':
      return ` <${kind.values.join('|')}>`;
    case 'integer':
      return ' <n>';
    default:
      return ` <${kind.type}>`;
  }
}

const wrappers = ['optional', 'default', 'prefault', 'nullable', 'nonoptional', 'readonly', 'catch'];

function definition(field: z.ZodType): SchemaDefinition {
  return field._zod.def as unknown as SchemaDefinition;
}

/** The schema below whatever makes it optional, gives a default or checks further. */
function unwrap(field: z.ZodType): z.ZodType {
  const { type, innerType, in: input } = definition(field);
  if (wrappers.includes(type) && innerType) return unwrap(innerType);
  return type === 'pipe' && input ? unwrap(input) : field;
}

function kindOf(field: z.ZodType): FlagKind {
  const inner = unwrap(field);
  const { type } = definition(inner);
  if (type === 'boolean') return { type: 'switch' };
  if (type === 'number')
    return { type: (inner as z.ZodNumber).format?.includes('int') ? 'integer' : 'number' };
  if (type === 'string') return { type: 'text' };
  if (type === 'custom') return { type: 'library' };
  const values = choices(inner);
  return values ? { type: 'choice', values } : { type: 'json' };
}

/** The values of a schema that accepts a fixed list of them. */
function choices(field: z.ZodType): (string | number | boolean)[] | undefined {
  const inner = unwrap(field);
  const { type, values, entries, options } = definition(inner);
  if (type === 'boolean') return [true, false];
  if (type === 'literal') return [...(values ?? [])];
  if (type === 'enum') return Object.values(entries ?? {});
  if (type !== 'union') return undefined;
  const parts = (options ?? []).map(choices);
  return parts.every((part) => part !== undefined) ? parts.flat() : undefined;
}

function descriptionOf(field: z.ZodType): string {
  const { innerType, in: input } = definition(field);
  const below = innerType ?? input;
  return field.description ?? (below ? descriptionOf(below) : '');
}

function defaultOf(field: z.ZodType): unknown {
  const { defaultValue, innerType } = definition(field);
  return defaultValue ?? (innerType ? defaultOf(innerType) : undefined);
}
