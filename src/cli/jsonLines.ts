import { z } from 'zod';
import { PolybeamError } from '../errors.js';
import { nearestName } from '../generation/nearestName.js';
import { inputName } from '../inputs.js';
import { parseJson } from '../shallowJson.js';
import { readLines } from './lines.js';
import type { CommandStreams } from './streams.js';

/** A list of ids, or of the zeros and ones of a mask. */
export const tokenIds = z.array(z.int().min(0));

/**
 * Reads standard input as JSON lines that fit a schema; a blank line gives undefined, to be answered by a blank line.
 *
 * @throws PolybeamError INPUT_INVALID with the number of the line, which is that of the input
 */
export async function* readInputs<Schema extends z.ZodType>(
  streams: CommandStreams,
  schema: Schema,
): AsyncGenerator<z.output<Schema> | undefined> {
  let index = 0;
  for await (const line of readLines(streams)) {
    const name = inputName(index++);
    yield line.trim() === '' ? undefined : checkInput(parseJsonLine(line, name), name, schema);
  }
}

/** An input of `schema`, or the reason why it is none. */
function checkInput<Schema extends z.ZodType>(
  value: Record<string, unknown>,
  name: string,
  schema: Schema,
): z.output<Schema> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new PolybeamError('INPUT_INVALID', `${name}: ${problem(parsed.error, value, schema)}`);
}

function problem(error: z.ZodError, value: Record<string, unknown>, schema: z.ZodType): string {
  const keys = knownKeys(schema);
  const unknown = Object.keys(value).find((key) => !keys.includes(key));
  if (unknown !== undefined) {
    const near = nearestName(unknown, keys);
    return `there is no key "${unknown}"; ${near ? `did you mean ${near}?` : `use ${keys.join(', ')}.`}`;
  }
  const [issue] = error.issues;
  if (issue.code === 'invalid_union') return unionProblem(issue, value);
  const path = issue.path.map(String).join('.');
  return `${path || 'the object'} is wrong (${reason(issue)}).`;
}

/** What is wrong with the form that has the most of the given keys. */
function unionProblem(issue: z.core.$ZodIssueInvalidUnion, value: Record<string, unknown>): string {
  const strangers = (issues: z.core.$ZodIssue[]) =>
    issues.reduce((sum, one) => sum + (one.code === 'unrecognized_keys' ? one.keys.length : 0), 0);
  const [nearest] = [...issue.errors].sort((a, b) => strangers(a) - strangers(b));
  const [first] = nearest;
  if (first === undefined || Object.keys(value).length === 0) return 'it is empty; give text or input_ids.';
  if (first.code === 'unrecognized_keys')
    return `"${first.keys.join('", "')}" cannot go with the other keys.`;
  return `${first.path.map(String).join('.')} is wrong (${reason(first)}).`;
}

function reason({ message }: z.core.$ZodIssue): string {
  return message.replace(/^Invalid input: /, '').toLowerCase();
}

function knownKeys(schema: z.ZodType): string[] {
  if (schema instanceof z.ZodObject) return Object.keys(schema.shape);
  const options = schema instanceof z.ZodUnion ? (schema.options as z.ZodType[]) : [];
  return [...new Set(options.flatMap(knownKeys))];
}

/**
 * Parses one line of JSON that must be an object.
 *
 * @param name of the line, for messages
 * @throws PolybeamError INPUT_INVALID
 */
export function parseJsonLine(line: string, name: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = parseJson(line);
  } catch (cause) {
    throw new PolybeamError(
      'INPUT_INVALID',
      `${name} is not JSON (${shorten(line)}): give one object a line.`,
      { cause },
    );
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>;
  }
  throw new PolybeamError(
    'INPUT_INVALID',
    `${name} is no JSON object (${shorten(line)}): give one object a line.`,
  );
}

function shorten(text: string): string {
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
