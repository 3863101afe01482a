import type { z } from 'zod';
import { nearestName } from '../generation/nearestName.js';
import { showValue } from '../inputs.js';

/** What describing a problem needs of zod's issues; the fields depend on `code`. */
type Issue = z.core.$ZodIssue;

/** A schema as its own description tells it: children of objects and lists, and what optional and default wrap. */
interface SchemaNode {
  def: { innerType?: SchemaNode; element?: SchemaNode; options?: SchemaNode[] };
  shape?: Record<string, SchemaNode>;
}

/**
 * What zod found, each problem as half a sentence that names the path, the value, what is wanted instead, and for an
 * unknown key the nearest one. No full stop, so that the caller can go on. Several where an issue stands for several
 * unknown keys, or for all that is wrong with one of its alternatives.
 */
export function describeIssues(issue: Issue, schema: z.ZodType, value: unknown): string[] {
  if (issue.code === 'invalid_union') {
    // Of alternatives, the one that was meant is the one that is wrong further in.
    const meant = issue.errors.find(([first]) => isInner(first));
    if (meant) {
      return meant.flatMap((inner) =>
        describeIssues({ ...inner, path: [...issue.path, ...inner.path] }, schema, value),
      );
    }
  }
  const path = pathName(issue.path);
  const found = valueAt(value, issue.path);
  if (issue.code === 'unrecognized_keys') {
    const known = Object.keys(schemaAt(schema as unknown as SchemaNode, issue.path)?.shape ?? {});
    return issue.keys.map((key) => {
      const nearest = nearestName(key, known);
      const remedy = nearest ? `did you mean ${nearest}?` : `known: ${known.join(', ')}`;
      return `there is no ${joinPath(path, key)} (${remedy})`;
    });
  }
  if (found === undefined) return [`${path} is missing: give ${wanted(issue)}`];
  const name = path || 'the whole file';
  return [`${name} is ${showValue(found)} but must be ${wanted(issue)}${hint(issue, found)}`];
}

function isInner(issue: Issue): boolean {
  return issue.path.length > 0 || issue.code === 'unrecognized_keys';
}

/** What the issue says should be there. */
function wanted(issue: Issue): string {
  switch (issue.code) {
    case 'invalid_type':
      return (
        { object: 'a mapping', array: 'a list', string: 'text', int: 'a whole number', number: 'a number' }[
          issue.expected as string
        ] ?? `${issue.expected === 'boolean' ? 'true or false' : issue.expected}`
      );
    case 'invalid_value':
      return issue.values.map(String).join(' or ');
    case 'too_small':
      return issue.origin === 'string' || issue.origin === 'array'
        ? 'not empty'
        : `${issue.inclusive ? 'at least' : 'above'} ${issue.minimum}`;
    case 'too_big':
      return `${issue.inclusive ? 'at most' : 'below'} ${issue.maximum}`;
    case 'invalid_union':
      return issue.errors.map(([first]) => wanted(first)).join(' or ');
    case 'invalid_key':
      return 'under another key';
    case 'not_multiple_of':
      return `a multiple of ${issue.divisor}`;
    default:
      return issue.message;
  }
}

/** The nearest of the values a misspelled one could have been. */
function hint(issue: Issue, found: unknown): string {
  if (issue.code !== 'invalid_value' || issue.values.length < 2 || typeof found !== 'string') {
    return '';
  }
  const nearest = nearestName(found, issue.values.map(String));
  return nearest ? ` (did you mean ${nearest}?)` : '';
}

function pathName(path: readonly PropertyKey[]): string {
  return path.reduce<string>(
    (name, key) => (typeof key === 'number' ? `${name}[${key}]` : joinPath(name, String(key))),
    '',
  );
}

function joinPath(path: string, key: string): string {
  return path ? `${path}.${key}` : key;
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (inner, key) => (inner as Record<PropertyKey, unknown> | null | undefined)?.[key],
    value,
  );
}

/** The schema at a path, below whatever makes it optional or gives a default. */
function schemaAt(schema: SchemaNode, path: readonly PropertyKey[]): SchemaNode | undefined {
  const unwrap = (node: SchemaNode | undefined): SchemaNode | undefined => {
    if (node?.def.innerType) return unwrap(node.def.innerType);
    return node?.def.options?.find((option) => option.shape !== undefined) ?? node;
  };
  return path.reduce<SchemaNode | undefined>(
    (node, key) => unwrap(typeof key === 'number' ? node?.def.element : node?.shape?.[String(key)]),
    unwrap(schema),
  );
}
