import type { z } from 'zod';

type JsonSchema = z.core.JSONSchema.BaseSchema;

/** Types of what JSON has no words for, by the name of the property. */
export type OwnTypes = Readonly<Record<string, string>>;

/** Types of objects that occur several times, by the schemas of these. */
interface Named {
  own: OwnTypes;
  names: ReadonlyMap<string, string>;
}

/**
 * A type of objects with a comment for each property, as TypeScript; not formatted. Objects that occur several times are types of
 * their own behind it. No interfaces, since those go for no `Record<string, unknown>`.
 */
export function objectTypeText(name: string, about: string, schema: JsonSchema, own: OwnTypes = {}): string {
  const counts = new Map<string, { schema: JsonSchema; key: string; count: number }>();
  countObjects(schema, '', counts);
  const names = new Map<string, string>();
  const taken = new Set<string>();
  const repeated = [...counts].filter(([, { count }]) => count > 1);
  for (const [text, { key }] of repeated) {
    const wanted = `${name}${key.charAt(0).toUpperCase()}${key.slice(1)}`;
    let free = wanted;
    for (let number = 2; taken.has(free); number++) free = `${wanted}${number}`;
    taken.add(free);
    names.set(text, free);
  }
  const named = { own, names };
  const parts = repeated.map(
    ([text, one]) => `\ntype ${names.get(text)} = ${membersText(one.schema, named)};\n`,
  );
  return `${comment(about)}export type ${name} = ${membersText(schema, named)};\n${parts.join('')}`;
}

/** Counts the objects below a schema, each by all that it says but where it is. */
function countObjects(
  schema: JsonSchema,
  key: string,
  counts: Map<string, { schema: JsonSchema; key: string; count: number }>,
): void {
  if (key !== '' && schema.properties) {
    const text = identityOf(schema);
    const { const: kind } = (schema.properties.type ?? {}) as JsonSchema;
    const hint = typeof kind === 'string' ? kind : key;
    const known = counts.get(text);
    if (known) known.count++;
    else counts.set(text, { schema, key: hint, count: 1 });
    if (known) return;
  }
  for (const [name, child] of Object.entries(schema.properties ?? {})) {
    countObjects(child as JsonSchema, name, counts);
  }
  const { items, additionalProperties } = schema;
  for (const child of [items, additionalProperties, ...(schema.anyOf ?? []), ...(schema.prefixItems ?? [])]) {
    if (child && typeof child === 'object') countObjects(child as JsonSchema, key, counts);
  }
}

function identityOf({ properties, required }: JsonSchema): string {
  return JSON.stringify({ properties, required });
}

function membersText(schema: JsonSchema, named: Named): string {
  const required = new Set(schema.required ?? []);
  const members = Object.entries(schema.properties ?? {}).map(([name, value]) => {
    const child = value as JsonSchema;
    const type = named.own[name] ?? typeText(child, named);
    return `${comment(child.description ?? '', child.default)}${name}${required.has(name) ? '' : '?'}: ${type};\n`;
  });
  return `{\n${members.join('')}}`;
}

function typeText(schema: JsonSchema, named: Named): string {
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(' | ');
  if (schema.anyOf) {
    return [...new Set((schema.anyOf as JsonSchema[]).map((one) => typeText(one, named)))].join(' | ');
  }
  switch (schema.type) {
    case 'integer':
      return 'number';
    case 'array':
      return arrayText(schema, named);
    case 'object':
      return schema.properties
        ? (named.names.get(identityOf(schema)) ?? membersText(schema, named))
        : `Record<string, ${typeText((schema.additionalProperties || {}) as JsonSchema, named)}>`;
    default:
      return typeof schema.type === 'string' ? schema.type : 'unknown';
  }
}

function arrayText(schema: JsonSchema, named: Named): string {
  if (schema.prefixItems) {
    return `[${(schema.prefixItems as JsonSchema[]).map((one) => typeText(one, named)).join(', ')}]`;
  }
  return `(${typeText(schema.items as JsonSchema, named)})[]`;
}

const width = 100;

/** A comment in lines of a readable width; nothing where there is nothing to say. */
function comment(text: string, preset?: unknown): string {
  const lines: string[] = [];
  for (const word of text.replaceAll('*/', '* /').split(/\s+/).filter(Boolean)) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + word.length < width) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  if (preset !== undefined && typeof preset !== 'object') lines.push(`@default ${JSON.stringify(preset)}`);
  if (lines.length === 0) return '';
  if (lines.length === 1) return `/** ${lines[0]} */\n`;
  return `/**\n${lines.map((line) => ` * ${line}\n`).join('')} */\n`;
}
